// This module has no I/O.

/** The largest exit code a process can have; a larger one would be cut to its low byte, 256 to success. */
const EXIT_CODE_MAX = 255;

/** The exit code for the one in a reply: the same, or 1 when no process can exit with it. */
export function exitCodeOf(replied: number): number {
  return replied <= EXIT_CODE_MAX ? replied : 1;
}
