import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { type ProcessCommand, type StartedProcess, startProcess } from "../support/spawn.ts";
import { untilListening } from "../support/listening.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { isEvent, START_DEADLINE_MS } from "../support/topology.ts";
import { buildPeer, type PeerCrate, type PeerVersion } from "./_peer_crate.ts";

/** What a Rust program prints on a line. */
export interface PeerEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The runtimes that play the TypeScript parts. */
export const labRuntimes: readonly Runtime[] = ["deno", "bun", "node20"];

/** Rust programs of one version, a private folder, and every process started; all gone when it is disposed. */
export class Lab implements AsyncDisposable {
  readonly crate: PeerCrate;
  readonly dir: TempDir;
  readonly #started: StartedProcess[] = [];
  #names = 0;
  #isClosed = false;

  private constructor(crate: PeerCrate, dir: TempDir) {
    this.crate = crate;
    this.dir = dir;
  }

  /** Builds the programs when that was not done yet. */
  static async open(version: PeerVersion): Promise<Lab> {
    return new Lab(await buildPeer(version), await makeTempDir());
  }

  /** A path in the private folder that nothing has yet. */
  newPath(ending: string): string {
    return this.dir.join(`${++this.#names}${ending}`);
  }

  /** A new private folder. */
  async newFolder(): Promise<string> {
    const path = this.newPath("");
    await mkdir(path, { mode: 0o700 });
    return path;
  }

  /** Starts a process and waits for the event that says it serves. */
  async start(command: ProcessCommand, readyEvent: string): Promise<StartedProcess> {
    if (this.#isClosed) throw new Error(`Cannot start "${command.command}": the lab is closed`);
    const process = startProcess(command);
    this.#started.push(process);
    const line = await process.waitForLine(isEvent(readyEvent), { deadlineMs: START_DEADLINE_MS });
    // A Rust broker says that it listens as soon as its socket's name is there.
    const { socket } = JSON.parse(line) as { socket?: string };
    if (socket !== undefined) await untilListening(socket, START_DEADLINE_MS);
    return process;
  }

  /** Starts a module of `tests/processes`. */
  startModule(runtime: Runtime, module: string, options: unknown): Promise<StartedProcess> {
    const path = `tests/processes/${module}`;
    return this.start(runtimeCommand(runtime, path, [JSON.stringify(options)]), "ready");
  }

  /** Runs a module of `tests/processes` to its end. @returns Its events. */
  runModule(runtime: Runtime, module: string, options: unknown): Promise<PeerEvent[]> {
    return runToEnd(runtimeCommand(runtime, `tests/processes/${module}`, [JSON.stringify(options)]));
  }

  /** Runs a Rust program to its end. @returns Its events. */
  runPeer(program: "client" | "broker" | "files", ...args: string[]): Promise<PeerEvent[]> {
    return runToEnd({ command: this.crate[program], args });
  }

  /** Runs a Rust program that prints one event. */
  async askPeer(program: "client" | "broker" | "files", ...args: string[]): Promise<PeerEvent> {
    const [event, ...rest] = await this.runPeer(program, ...args);
    assert.ok(
      event !== undefined && rest.length === 0,
      `peer-${program} ${args.join(" ")} printed one event`,
    );
    return event;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const process of this.#started.reverse()) await process[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** The executable that a runtime's modules run in, without links. */
export function executableOf(runtime: Runtime): string {
  return realpathSync(runtimeCommand(runtime, "mod.ts").command);
}

async function runToEnd(command: ProcessCommand): Promise<PeerEvent[]> {
  await using process = startProcess(command);
  const exit = await process.waitForExit({ deadlineMs: START_DEADLINE_MS });
  // The output may arrive after the exit: the wait for a line that never comes ends with it.
  await process.waitForLine(() => false, { deadlineMs: START_DEADLINE_MS }).catch(() => {});
  const events = process.stdoutLines.filter((line) => line.startsWith("{"));
  if (events.length === 0) {
    const errors = process.stderrTail.join("\n");
    throw new Error(`"${command.command}" ended with ${exit.code ?? exit.signal} and no event\n${errors}`);
  }
  return events.map((line) => JSON.parse(line) as PeerEvent);
}
