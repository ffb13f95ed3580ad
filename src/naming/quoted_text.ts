// This module has no I/O.

/** Characters with a short escape in the reference's quoted texts. */
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

/** Control, unassigned, private and separator characters, and marks that would combine with the quote. */
const UNPRINTABLE = /^[\p{C}\p{Zl}\p{Zp}\p{Zs}\p{Grapheme_Extend}]$/u;

/**
 * A text in double quotes, escaped as in the reference's error texts, which reach the wire inside refusals:
 * `\0 \t \n \r \" \\`, and `\u{…}` for what cannot be printed.
 */
export function quotedText(text: string): string {
  let quoted = "";
  for (const character of text) quoted += escaped(character);
  return `"${quoted}"`;
}

function escaped(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  if (character === " " || !UNPRINTABLE.test(character)) return character;
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
