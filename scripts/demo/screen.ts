import process from "node:process";

const hasColour = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined;

function colour(code: number): (text: string) => string {
  return (text) => hasColour ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** Colours that are there on a terminal only. */
export const paint = { title: colour(1), good: colour(32), dim: colour(2), who: colour(36) };

/** Prints one line. */
export function say(line: string): void {
  console.log(line);
}

/** One step of the story: who did what, and when. */
export interface Step {
  readonly atUs: number;
  readonly who: "client" | "broker" | "backend";
  readonly text: string;
}

/** Prints steps of several processes in the order of their clocks, times counted from the first. */
export function saySteps(steps: readonly Step[]): void {
  const ordered = [...steps].sort((a, b) => a.atUs - b.atUs);
  const start = ordered[0]?.atUs ?? 0;
  for (const { atUs, who, text } of ordered) {
    const time = `${atUs - start} us`.padStart(10);
    say(`  ${paint.dim(time)}  ${paint.who(who.padEnd(7))}  ${text}`);
  }
}
