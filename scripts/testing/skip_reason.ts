// This module has no I/O.

// How far from its title a test's options are.
const OPTIONS_CHARS = 300;

/**
 * Finds the reason of a skipped test in its source, for the runtimes whose reports leave it out:
 * `{ skip: condition && "reason" }`, or a constant of the same file that holds it.
 */
export function skipReasonInSource(source: string, title: string): string | undefined {
  const at = source.indexOf(JSON.stringify(title));
  if (at === -1) return undefined;
  const options = source.slice(at, at + title.length + OPTIONS_CHARS);
  const shorthand = /^"(?:[^"\\]|\\.)*",\s*\{[^}]*\bskip\s*[,}]/.test(options);
  const expression = shorthand ? "skip" : /\bskip:\s*((?:"[^"]*"|[^,}])*)/.exec(options)?.[1];
  if (expression === undefined) return undefined;
  return lastText(expression) ?? reasonOfConstant(source, expression);
}

function reasonOfConstant(source: string, expression: string): string | undefined {
  for (const [name] of expression.matchAll(/[A-Za-z_$][\w$]*/g)) {
    const declaration = new RegExp(`\\bconst ${name}\\b[^=;]*=([^;]*);`).exec(source)?.[1];
    const reason = declaration === undefined ? undefined : lastText(declaration);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The reason comes last: `isLinux ? false : "reads /proc"`. */
function lastText(expression: string): string | undefined {
  return [...expression.matchAll(/"([^"]+)"/g)].at(-1)?.[1];
}
