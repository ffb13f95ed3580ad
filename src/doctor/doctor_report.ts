// This module has no I/O.
import type { DoctorCheck, DoctorStatus } from "./doctor_check.ts";

/** Layout of the JSON report. Frozen for v1: members may be added, none renamed or retyped (protocol 11.1). */
const SCHEMA_VERSION = 1;

/** Width of the longest status. */
const STATUS_WIDTH = 4;

/** What a doctor's run found, in the order it looked. */
export class DoctorReport {
  /** The checks. */
  readonly checks: readonly DoctorCheck[];

  /** Keeps the checks of one run. */
  constructor(checks: readonly DoctorCheck[]) {
    this.checks = checks;
  }

  /** 1 when any check failed, else 0. */
  get exitCode(): number {
    return this.#count("FAIL") > 0 ? 1 : 0;
  }

  /** The report as one line of JSON with sorted members and no line end (protocol 10.2). */
  toJson(): string {
    // Members are written in the order of their names.
    return JSON.stringify({
      checks: this.checks.map(({ name, detail, flags, status }) => ({
        check: name,
        detail,
        ...(flags === undefined ? {} : { flags }),
        status,
      })),
      command: "doctor",
      exit_code: this.exitCode,
      schema_version: SCHEMA_VERSION,
    });
  }

  /** The report for people: a line for each check and a summary, each with a line end (protocol 10.2). */
  toText(): string {
    const width = Math.max(0, ...this.checks.map(({ name }) => name.length));
    const lines = this.checks.map(({ status, name, detail }) =>
      `${status.padEnd(STATUS_WIDTH)}  ${name.padEnd(width)}  ${detail}`
    );
    const counts = `${this.#count("PASS")} pass, ${this.#count("WARN")} warn, ${this.#count("FAIL")} fail`;
    return [...lines, `doctor: ${this.checks.length} checks — ${counts}`, ""].join("\n");
  }

  #count(status: DoctorStatus): number {
    return this.checks.filter((check) => check.status === status).length;
  }
}
