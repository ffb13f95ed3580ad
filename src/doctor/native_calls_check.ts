// This module has no I/O.
import { type DoctorCheck, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";

/** Name of the check, and of its area. */
export const NATIVE_CALLS_CHECK = "runtime:native-calls";

/** Ours, behind those of the protocol: whether connections can be passed, and peers told from each other. */
export async function nativeCallsCheck(host: DoctorHost): Promise<DoctorCheck> {
  const facts = await host.nativeCalls();
  if (facts.ok) return pass(NATIVE_CALLS_CHECK, `they work, by ${facts.binding}`);
  return warn(
    NATIVE_CALLS_CHECK,
    `${facts.reason}; until then no broker starts here, backends take no handoffs and clients reconnect`,
  );
}
