import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

/** What to start; `runtimeCommand()` makes one. */
export interface ProcessCommand {
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** How to start it. */
export interface StartOptions {
  cwd?: string;
  /** Starts with `command.env` only, without the environment of this process. */
  isEnvClean?: boolean;
}

/** How long to wait for something. */
export interface WaitOptions {
  deadlineMs: number;
  signal?: AbortSignal;
}

/** How a process ended: one of the three is set. */
export interface ProcessExit {
  code: number | null;
  signal: string | null;
  /** Why it could not be started. */
  error: Error | undefined;
}

/** A child in its own process group. Disposing it kills the group and waits for the child's end. */
export interface StartedProcess extends AsyncDisposable {
  /** 0 when it could not be started. */
  readonly pid: number;
  /** Every line of its standard output so far. */
  readonly stdoutLines: readonly string[];
  /** The last lines of its standard error. */
  readonly stderrTail: readonly string[];
  readonly exit: Promise<ProcessExit>;
  /** The first matching line of standard output, also one that came before; `fromLine` skips earlier ones. */
  waitForLine(
    matches: (line: string) => boolean,
    options: WaitOptions & { fromLine?: number },
  ): Promise<string>;
  /** Waits for the end; rejects with what the process printed when the deadline passes first. */
  waitForExit(options: WaitOptions): Promise<ProcessExit>;
  /** Writes one line to its standard input. */
  writeLine(line: string): void;
  /** Ends its standard input. */
  closeStdin(): void;
  /** Signals the whole group, and does nothing when it is gone. */
  killGroup(signal?: NodeJS.Signals): void;
}

const STDERR_LINES_KEPT = 200;
const LINES_SHOWN = 40;

/** Starts a process whose output is read line by line: `await using child = startProcess(command);`. */
export function startProcess(what: ProcessCommand, options: StartOptions = {}): StartedProcess {
  const child = spawn(what.command, [...what.args], {
    cwd: options.cwd,
    env: { ...(options.isEnvClean ? {} : process.env), ...what.env },
    stdio: "pipe",
    detached: true,
  });
  return new ChildHandle(what.command, child);
}

class ChildHandle implements StartedProcess {
  readonly pid: number;
  readonly stdoutLines: string[] = [];
  readonly stderrTail: string[] = [];
  readonly exit: Promise<ProcessExit>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #changed = new EventTarget();
  #ended: ProcessExit | undefined;
  #isOutputClosed = false;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.exit = new Promise((resolve) => {
      const end = (exit: ProcessExit) => {
        this.#ended ??= exit;
        resolve(this.#ended);
        this.#notify();
      };
      child.once("error", (error) => end({ code: null, signal: null, error }));
      child.once("exit", (code, signal) => end({ code, signal, error: undefined }));
    });
    child.once("close", () => {
      this.#isOutputClosed = true;
      this.#notify();
    });
    // The child may be gone before what was written reached it; its exit tells that.
    child.stdin?.on("error", () => {});
    this.#readLines(child.stdout, (line) => this.stdoutLines.push(line));
    this.#readLines(child.stderr, (line) => {
      if (this.stderrTail.push(line) > STDERR_LINES_KEPT) this.stderrTail.shift();
    });
  }

  async waitForLine(
    matches: (line: string) => boolean,
    { fromLine = 0, ...options }: WaitOptions & { fromLine?: number },
  ): Promise<string> {
    let next = fromLine;
    return await this.#wait("a line", options, () => {
      while (next < this.stdoutLines.length) {
        const line = this.stdoutLines[next++];
        if (line !== undefined && matches(line)) return line;
      }
      if (this.#isOutputClosed || this.#ended?.error) {
        throw this.#failure("ended without the line waited for");
      }
      return undefined;
    });
  }

  waitForExit(options: WaitOptions): Promise<ProcessExit> {
    return this.#wait("its end", options, () => this.#ended);
  }

  writeLine(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  closeStdin(): void {
    this.#child.stdin?.end();
  }

  killGroup(signal: NodeJS.Signals = "SIGKILL"): void {
    if (this.pid === 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killGroup();
    await this.exit;
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream?.destroy();
  }

  #readLines(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
    if (stream === null) return;
    createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => {
      take(line);
      this.#notify();
    });
  }

  #notify(): void {
    this.#changed.dispatchEvent(new Event("change"));
  }

  /** Looks for a result now and at each change, until the deadline or the signal ends it. */
  #wait<T>(what: string, { deadlineMs, signal }: WaitOptions, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#changed.removeEventListener("change", attempt);
        signal?.removeEventListener("abort", abort);
        settle();
      };
      const attempt = () => {
        try {
          const result = look();
          if (result !== undefined) finish(() => resolve(result));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const abort = () => finish(() => reject(signal?.reason));
      const late = () => finish(() => reject(this.#failure(`did not reach ${what} within ${deadlineMs} ms`)));
      const timer = setTimeout(late, deadlineMs);
      this.#changed.addEventListener("change", attempt);
      signal?.addEventListener("abort", abort);
      if (signal?.aborted) abort();
      else attempt();
    });
  }

  #failure(what: string): Error {
    const state = this.#ended === undefined
      ? "running"
      : this.#ended.error?.message ?? `ended with ${this.#ended.code ?? this.#ended.signal}`;
    const shown = (lines: readonly string[]) =>
      lines.slice(-LINES_SHOWN).map((line) => `  ${line}`).join("\n") || "  (nothing)";
    return new Error(
      `Process "${this.#name}" (${this.pid}, ${state}) ${what}\nstdout:\n${shown(this.stdoutLines)}\n` +
        `stderr:\n${shown(this.stderrTail)}`,
    );
  }
}
