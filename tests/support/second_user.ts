import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";
import type { ProcessCommand } from "./spawn.ts";

/** Another user of this machine, as whom a test can run a program. */
export interface SecondUser {
  uid: number;
  gid: number;
  /** The same command, run as that user. */
  wrap(command: ProcessCommand): ProcessCommand;
  /** Whether that user may run an executable and read the files it is given; what lies in somebody's home is out of reach. */
  canRun(command: ProcessCommand): boolean;
}

/** A second user, or why there is none. */
export type SecondUserOutcome = { user: SecondUser; reason: undefined } | { user: undefined; reason: string };

// "nobody" everywhere; it needs no entry in a database and owns nothing.
const NOBODY = 65_534;
const PROBE = 'test -x "$0" || exit; for file; do test -r "$file" || exit; done';
const PROBE_DEADLINE_MS = 10_000;
const PYTHON_SWITCH = "import os,sys;g,u=int(sys.argv[1]),int(sys.argv[2]);" +
  "os.setgroups([]);os.setgid(g);os.setuid(u);os.execvp(sys.argv[3],sys.argv[3:])";

/** Finds a way to run programs as another user. Only root has one. */
export function findSecondUser(): SecondUserOutcome {
  if (process.platform === "win32" || process.getuid?.() !== 0) {
    return { user: undefined, reason: "only root may switch to a second user" };
  }
  const prefix = findSwitch();
  if (prefix === undefined) return { user: undefined, reason: "neither setpriv nor python3 is installed" };
  const wrap = ({ command, args, env }: ProcessCommand): ProcessCommand => {
    const wrapped = { command: prefix.command, args: [...prefix.args, command, ...args] };
    return env === undefined ? wrapped : { ...wrapped, env };
  };
  const canRun = ({ command, args }: ProcessCommand) => {
    const files = args.filter((arg) => isAbsolute(arg) && existsSync(arg));
    const probe = wrap({ command: "/bin/sh", args: ["-c", PROBE, command, ...files] });
    const options = { cwd: "/", timeout: PROBE_DEADLINE_MS };
    return spawnSync(probe.command, [...probe.args], options).status === 0;
  };
  return { user: { uid: NOBODY, gid: NOBODY, wrap, canRun }, reason: undefined };
}

function findSwitch(): ProcessCommand | undefined {
  const setpriv = onPath("setpriv");
  if (setpriv !== undefined) {
    return {
      command: setpriv,
      args: [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"],
    };
  }
  const python = onPath("python3");
  if (python === undefined) return undefined;
  return { command: python, args: ["-c", PYTHON_SWITCH, String(NOBODY), String(NOBODY)] };
}

function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "").split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}
