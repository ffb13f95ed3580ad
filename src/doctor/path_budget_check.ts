// This module has no I/O.
import { BACKEND_NAME_RANDOM_BYTES, backendName } from "../naming/endpoint_name.ts";
import { endpointPath } from "../naming/endpoint_path.ts";
import type { Platform } from "../naming/platform.ts";
import { utf8Length } from "../naming/validate_name.ts";
import { type DoctorCheck, fail, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { messageOf } from "./message_of.ts";

/** Name of the check, and of its area. */
export const PATH_BUDGET_CHECK = "platform:path-budget";

/** Bytes below the limit from which on the check warns. */
const SLACK_BYTES = 8;

/** The size of what holds an endpoint's path, and what to make shorter. */
const BUDGETS: Readonly<Record<Platform, { limitBytes: number; label: string; remedy: string }>> = {
  linux: { limitBytes: 108, label: "Linux sun_path", remedy: "set XDG_RUNTIME_DIR to a shorter directory" },
  macos: { limitBytes: 104, label: "macOS sun_path", remedy: "set TMPDIR to a shorter directory" },
  windows: { limitBytes: 260, label: "Windows MAX_PATH", remedy: "there is nothing to configure" },
};

/** Check 11: whether a launched backend's endpoint, the longest there is, fits (protocol 10.2). */
export async function pathBudgetCheck(host: DoctorHost): Promise<DoctorCheck> {
  const { limitBytes, label, remedy } = BUDGETS[host.values.platform];
  let path: string;
  try {
    const name = backendName(await host.userHash(), new Uint8Array(BACKEND_NAME_RANDOM_BYTES));
    path = endpointPath(name, host.values);
  } catch (error) {
    return fail(
      PATH_BUDGET_CHECK,
      `a backend's endpoint does not fit ${label}: ${messageOf(error)}; ${remedy}`,
    );
  }
  const lengthBytes = utf8Length(path);
  const detail = `a backend's endpoint has ${lengthBytes} of ${limitBytes} bytes (${label}): ${path}`;
  return lengthBytes + SLACK_BYTES >= limitBytes
    ? warn(PATH_BUDGET_CHECK, `${detail}; at most ${SLACK_BYTES} are left, ${remedy}`)
    : pass(PATH_BUDGET_CHECK, detail);
}
