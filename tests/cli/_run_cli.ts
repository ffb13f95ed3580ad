import { execFile } from "node:child_process";
import process from "node:process";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { START_DEADLINE_MS } from "../support/topology.ts";

/** What a run of the command line has left. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of everything that is printed here; the largest body of a test has a megabyte. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/** What must not come in from the outside. */
const UNSET = ["RUNNING_PROCESS_BROKER_V1_SOCKET", "RUNNING_PROCESS_SERVICE_DEF_DIR"];

/** Runs the command line to its end, in the runtime of this process. */
export function runCli(args: readonly string[], env: Record<string, string> = {}): Promise<CliRun> {
  const what = runtimeCommand(currentRuntime === "node" ? "deno" : currentRuntime, "cli.ts", args);
  const inherited = Object.entries(process.env).filter(([name]) => !UNSET.includes(name));
  const options = {
    env: {
      ...Object.fromEntries(inherited),
      ...what.env,
      RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1",
      ...env,
    },
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: START_DEADLINE_MS,
    killSignal: "SIGKILL",
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(what.command, [...what.args], options, (error, stdout, stderr) => {
      const { exitCode } = child;
      if (exitCode === null) return reject(error ?? new Error("The command line ended without an exit code"));
      resolve({ code: exitCode, stdout, stderr });
    });
  });
}
