// This module has no I/O.
import { LIBRARY_NAME, LIBRARY_VERSION } from "../version.ts";
import { FRAMING_VERSION_V1, PROTOCOL_VERSION } from "../wire/constants.ts";
import { type DoctorCheck, pass } from "./doctor_check.ts";

/** Check 13: what this is (protocol 10.2). */
export function versionCheck(): DoctorCheck {
  const speaks = `protocol v${PROTOCOL_VERSION}, framing v${FRAMING_VERSION_V1}`;
  return pass("build:version", `${LIBRARY_NAME} ${LIBRARY_VERSION} — ${speaks}`);
}
