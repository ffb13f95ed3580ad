const OUTPUT_LINES_SHOWN = 150;

/** Prints what failed, why, and the end of what it printed itself. */
export function showFailure(title: string, problems: readonly string[], output: string): void {
  const lines = output.trimEnd().split("\n");
  const shown = lines.slice(-OUTPUT_LINES_SHOWN);
  console.log(`\nFAILED ${title}`);
  for (const problem of problems) console.log(`  - ${problem}`);
  if (shown.length < lines.length) console.log(`  | (${lines.length - shown.length} lines before)`);
  for (const line of shown) console.log(`  | ${line}`);
}
