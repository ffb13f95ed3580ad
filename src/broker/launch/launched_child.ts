import { spawn } from "node:child_process";
import process from "node:process";
import { osErrorText } from "../../host/os_error_text.ts";
import type { LaunchCommand } from "./launch_command.ts";
import { LaunchError } from "./launch_error.ts";

/** How a child ended. */
export interface ChildExit {
  /** What it exited with; `null` when a signal ended it. */
  readonly code: number | null;
  /** The name of the signal that ended it, such as `SIGKILL`; `null` when it exited. */
  readonly signal: string | null;
}

/** A child in a session of its own, which outlives this process. */
export interface LaunchedChild {
  /** Its process id, which its session has, too. */
  readonly pid: number;
  /** Settles when it has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** `undefined` while it runs. */
  readonly exit: ChildExit | undefined;
  /** Ends it and what it started. Idempotent. */
  kill(): void;
  /** Lets this process end while the child runs. */
  letGo(): void;
}

/** Starts a child with nothing to read, nobody to talk to but a file for its errors, and no way to hold us up. */
export function launchChild(
  command: LaunchCommand,
  environment: Record<string, string>,
  stderrFd: number,
): Promise<LaunchedChild> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => {
      reject(new LaunchError("Spawn", `backend spawn failed to start: ${osErrorText(cause)}`, { cause }));
    };
    try {
      const child = spawn(command.executable, [...command.args], {
        env: environment,
        stdio: ["ignore", "ignore", stderrFd],
        detached: true,
      });
      child.once("error", failed);
      let exit: ChildExit | undefined;
      const exited = new Promise<ChildExit>((ended) => {
        child.once("exit", (code, signal) => ended(exit = { code, signal }));
      });
      const { pid } = child;
      // Without a number there is no child: the error event says why.
      if (pid === undefined) return;
      resolve({
        pid,
        exited,
        get exit() {
          return exit;
        },
        // Its number is its own until its end was seen, and that of its group with it.
        kill: () => exit === undefined && killGroup(pid),
        letGo: () => child.unref(),
      });
    } catch (error) {
      failed(error);
    }
  });
}

function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // ESRCH: it has ended already, or has left its group; the other number reaches it then.
    }
  }
}
