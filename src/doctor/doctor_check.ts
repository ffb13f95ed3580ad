// This module has no I/O.

/** How a check ended: only `FAIL` makes the doctor's exit code 1 (protocol 10.2). */
export type DoctorStatus = "PASS" | "WARN" | "FAIL";

/** One thing that was looked at, and what was found. */
export interface DoctorCheck {
  /** Stable name, an area and a subject: `env:RUNNING_PROCESS_DISABLE`. */
  readonly name: string;
  /** How it ended. */
  readonly status: DoctorStatus;
  /** One line: what was seen, and what to do about it when something is wrong. */
  readonly detail: string;
  /** Command-line flags that the detail shows, by the part of the product they are for. */
  readonly flags?: Readonly<Record<string, readonly string[]>>;
}

/** A check that found nothing wrong. */
export function pass(name: string, detail: string): DoctorCheck {
  return { name, status: "PASS", detail };
}

/** A check that found what is unusual, or could not be done. */
export function warn(name: string, detail: string): DoctorCheck {
  return { name, status: "WARN", detail };
}

/** A check that found what does not work. */
export function fail(name: string, detail: string): DoctorCheck {
  return { name, status: "FAIL", detail };
}
