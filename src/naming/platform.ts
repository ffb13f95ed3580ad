// This module has no I/O.

/** The platforms whose rules differ. Every Unix but macOS follows the rules of Linux (protocol 3.1). */
export type Platform = "linux" | "macos" | "windows";

/** Environment variables as values; a variable that is not set is `undefined`, an empty one is `""`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What names and directories are derived from, as values.
 *
 * `uid` and `home` are read only by the rules that need them, so a getter may stand behind them.
 */
export interface HostValues {
  /** Whose path rules apply. */
  readonly platform: Platform;
  /** The variables of this process. */
  readonly environment: Environment;
  /** The real user id (`getuid`); of no meaning on Windows. */
  readonly uid: number;
  /** The user's home directory; `undefined` when the system names none. */
  readonly home: string | undefined;
}
