import { readFileSync, rmSync } from "node:fs";
import { type ProcessCommand, type StartedProcess, startProcess } from "../tests/support/spawn.ts";

/** One command to a measurer. */
export interface BlockOptions {
  readonly mode: string;
  /** Operations at once. */
  readonly clients: number;
  readonly samples: number;
  /** Microseconds before each operation. */
  readonly gapUs: number;
  /** What the samples are appended to. */
  readonly file: string;
}

/** What a command came to, besides its samples. */
export interface BlockResult {
  readonly elapsedUs: number;
  /** Handoffs that became reconnects. */
  readonly fallbacks: number;
}

/** A runtime's start, on a busy machine. */
const READY_DEADLINE_MS = 60_000;
/** The longest block is some thousand operations with a gap, or of a broker that serves one at a time. */
const BLOCK_DEADLINE_MS = 300_000;

/**
 * A process that measures on command, so that what is measured stays warm between blocks.
 *
 * It prints `ready`, then takes lines `MODE CLIENTS SAMPLES GAP_US FILE`, appends the samples to the file as
 * 64-bit floats of microseconds, and answers each with `done ELAPSED_US FALLBACKS`.
 */
export class Measurer implements AsyncDisposable {
  readonly #process: StartedProcess;

  private constructor(process: StartedProcess) {
    this.#process = process;
  }

  /** Starts a program of `bench/`. */
  static async start(command: ProcessCommand): Promise<Measurer> {
    const process = startProcess(command);
    try {
      await process.waitForLine((line) => line === "ready", { deadlineMs: READY_DEADLINE_MS });
      return new Measurer(process);
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run({ mode, clients, samples, gapUs, file }: BlockOptions): Promise<BlockResult> {
    const fromLine = this.#process.stdoutLines.length;
    this.#process.writeLine(`${mode} ${clients} ${samples} ${gapUs} ${file}`);
    const isDone = (line: string) => line.startsWith("done ");
    const line = await this.#process.waitForLine(isDone, { deadlineMs: BLOCK_DEADLINE_MS, fromLine });
    const [, elapsedUs, fallbacks] = line.split(" ").map(Number);
    return { elapsedUs: elapsedUs ?? NaN, fallbacks: fallbacks ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** Takes the samples out of a measurer's file, sorted. */
export function takeSamples(file: string): Float64Array {
  const bytes = readFileSync(file);
  rmSync(file);
  return new Float64Array(new Uint8Array(bytes).buffer).sort();
}
