// This module has no I/O.
import { quotedText } from "../naming/quoted_text.ts";
import { type DoctorCheck, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { messageOf } from "./message_of.ts";

/** Name of the check, and of its area. */
export const KILL_MODE_CHECK = "platform:systemd-killmode";

/** Which processes of a unit belong to it. */
const CGROUP_FILE = "/proc/self/cgroup";

/** The KillMode with which systemd ends what a broker launched together with the broker: its default. */
const KILLS_CHILDREN = "control-group";

/** Check 12: whether systemd ends launched backends when it stops the unit this runs in (protocol 10.2). */
export async function killModeCheck(host: DoctorHost): Promise<DoctorCheck> {
  if (host.values.platform !== "linux") return pass(KILL_MODE_CHECK, "not applicable: there is no systemd");
  if ((host.values.environment["INVOCATION_ID"] ?? "").trim() === "") {
    return pass(KILL_MODE_CHECK, "not running under systemd");
  }
  let unit: string | undefined;
  try {
    unit = unitOf(await host.readText(CGROUP_FILE));
  } catch (error) {
    return unknownMode("its unit", messageOf(error));
  }
  if (unit === undefined) return unknownMode("its unit", `${CGROUP_FILE} names none`);
  let output: string;
  try {
    output = await host.killMode(unit);
  } catch (error) {
    return unknownMode(unit, messageOf(error));
  }
  const mode = killModeIn(output);
  if (mode === undefined) return unknownMode(unit, `systemctl printed ${quotedText(output.trim())}`);
  if (mode.toLowerCase() !== KILLS_CHILDREN) {
    return pass(KILL_MODE_CHECK, `systemd unit ${unit} has KillMode=${mode}: backends outlive it`);
  }
  return warn(
    KILL_MODE_CHECK,
    `systemd unit ${unit} has KillMode=${mode}: stopping it ends every backend launched in it; ` +
      "set KillMode=process in the unit",
  );
}

/** The unit in a `/proc/self/cgroup`: the last service or scope of the first line that has one. */
export function unitOf(cgroup: string): string | undefined {
  for (const line of cgroup.split("\n")) {
    const unit = line.slice(line.lastIndexOf(":") + 1).split("/").findLast((part) =>
      /\.(service|scope)$/.test(part)
    );
    if (unit !== undefined) return unit;
  }
  return undefined;
}

/** The mode in `KillMode=process`, or printed alone; `undefined` when it is neither. */
export function killModeIn(output: string): string | undefined {
  return /^(?:KillMode=)?([^=\s]+)$/.exec(output.trim())?.[1];
}

function unknownMode(unit: string, reason: string): DoctorCheck {
  return warn(
    KILL_MODE_CHECK,
    `running under systemd, but the KillMode of ${unit} cannot be told (${reason}): if it is ${KILLS_CHILDREN}, ` +
      "the default, stopping the unit ends every backend launched in it; set KillMode=process in the unit",
  );
}
