// This module has no I/O.

/** One process, told from any later one with the same number. */
export interface ProcessIdentity {
  /** Its process id. */
  readonly pid: number;
  /** The platform's record of when it started: opaque, for comparison by equality only. */
  readonly startMark: string;
}

/** The field of `/proc/<pid>/stat` behind the command's closing parenthesis that holds the start time. */
const START_TICKS_INDEX = 22 - 3;

/** States of processes that have ended and wait for their parent, or are being removed. */
const ENDED_STATES = new Set(["Z", "X", "x"]);

/**
 * The start time in a `/proc/<pid>/stat` line.
 *
 * The second field is the command's name in parentheses; it may hold blanks and parentheses itself, so the
 * fields are counted from the last parenthesis.
 *
 * @returns `undefined` when the process has ended or the text is no such line.
 */
export function startMarkOf(statLine: string): string | undefined {
  const fields = statLine.slice(statLine.lastIndexOf(")") + 1).trim().split(" ");
  const ticks = fields[START_TICKS_INDEX];
  if (ticks === undefined || !/^\d+$/.test(ticks) || ENDED_STATES.has(fields[0]!)) return undefined;
  return ticks;
}

/** The state and the start time in a line of `ps -o state=,lstart=`; `undefined` as above. */
export function startMarkInPs(line: string): string | undefined {
  const parts = /^(\S+)\s+(\S.*\S)$/.exec(line.trim());
  return parts === null || ENDED_STATES.has(parts[1]![0]!) ? undefined : parts[2]!.replace(/\s+/g, " ");
}
