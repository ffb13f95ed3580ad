import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/** What to run and for how long at most. */
export interface ChildOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  env?: Readonly<Record<string, string>>;
  deadlineMs: number;
}

/** How it ended. */
export interface ChildResult {
  code: number | null;
  signal: string | null;
  isTimedOut: boolean;
  /** Standard output and standard error as they came. */
  output: string;
  seconds: number;
}

// Enough for any honest failure; a loop that prints forever must not fill the memory.
const OUTPUT_CHARS_MAX = 1_000_000;
// A grandchild can hold the output open after the child has ended.
const OUTPUT_GRACE_MS = 2_000;
// What an outer tool sets for itself and a child must not inherit, and what configures this machine's brokers.
const ENV_NOT_INHERITED = new RegExp(
  "^(npm_(?!config_)|npm_config_(local_prefix|package|yes)$|RUNNING_PROCESS_|FORCE_COLOR$|NODE_OPTIONS$|" +
    "NODE_TEST_CONTEXT$|INIT_CWD$)",
);

/** Runs children in groups of their own, each with a deadline, and can end all of them at once. */
export class ChildRunner {
  readonly #running = new Set<ChildProcess>();

  /** Runs one child to its end or its deadline; a program that cannot be started ends with 127. */
  async run({ command, args, cwd, env, deadlineMs }: ChildOptions): Promise<ChildResult> {
    const start = performance.now();
    const child = spawn(command, [...args], {
      cwd,
      env: { ...inheritedEnv(), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#running.add(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        if (output.length < OUTPUT_CHARS_MAX) output += text;
      });
    }
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      killGroup(child);
    }, deadlineMs);
    const { code, signal, message } = await ended(child);
    clearTimeout(timer);
    // On Linux the caller can tell which processes were left behind, if it does so before they are killed.
    if (process.platform !== "linux") killGroup(child);
    this.#running.delete(child);
    return {
      code,
      signal,
      isTimedOut,
      output: output + message,
      seconds: (performance.now() - start) / 1_000,
    };
  }

  /** Kills every child that still runs. */
  killAll(): void {
    for (const child of this.#running) killGroup(child);
  }
}

function inheritedEnv(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !ENV_NOT_INHERITED.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
}

function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; message: string }> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 127, signal: null, message: `${error.message}\n` }));
    child.once("close", (code, signal) => resolve({ code, signal, message: "" }));
    child.once("exit", (code, signal) => {
      const settle = () => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ code, signal, message: "" });
      };
      const timer = setTimeout(settle, OUTPUT_GRACE_MS);
      child.once("close", () => clearTimeout(timer));
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // ESRCH: the whole group is gone, as it should be.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
