import process from "node:process";

/** The variable that lets the broker run as root; only `1` counts (protocol 6.15). */
export const ALLOW_PRIVILEGED_VARIABLE = "RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED";

/** Why this process must not run, if it must not: root's broker would serve root's backends to whoever is root. */
export function privilegeRefusal(): string | undefined {
  if (process.geteuid?.() !== 0 || process.env[ALLOW_PRIVILEGED_VARIABLE] === "1") return undefined;
  return `refusing to run as root; run it as the user it serves, or set ${ALLOW_PRIVILEGED_VARIABLE}=1`;
}
