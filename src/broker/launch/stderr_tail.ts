import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from "node:fs";
import type { CancelSignal } from "../../cancel_signal.ts";

/** The end of what a process printed that is worth showing: a stack trace fits. */
export const STDERR_TAIL_BYTES = 4_096;
/** What the file may grow to between two looks, so that a talkative backend does not fill the disk. */
const FILE_BYTES_MAX = 1024 * 1024;
const LOOK_EVERY_MS = 10_000;

/**
 * Where a launched process's stderr goes: a file without a name.
 *
 * A pipe would break under a process that outlives the broker; a file does not. It is emptied from time to
 * time, as long as somebody looks after it.
 */
export class StderrTail implements Disposable {
  /** For the process that writes. */
  readonly fd: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #signal: CancelSignal | undefined;
  #isClosed = false;
  readonly #dispose = () => this[Symbol.dispose]();

  /**
   * Creates the file, readable by this user alone, and takes its name away at once.
   *
   * In Deno it requires `--allow-read` and `--allow-write` for the path.
   *
   * @param path A path that nothing has, in a directory of this user alone; it is free again afterwards.
   */
  constructor(path: string) {
    const { O_RDWR, O_CREAT, O_EXCL, O_APPEND } = constants;
    this.fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0o600);
    unlinkSync(path);
  }

  /** The last bytes as text that is fit to be printed. */
  read(): string {
    const { size } = fstatSync(this.fd);
    const buffer = new Uint8Array(Math.min(size, STDERR_TAIL_BYTES));
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(this.fd, buffer, length, buffer.length - length, size - buffer.length + length);
      if (read === 0) break;
      length += read;
    }
    return printable(new TextDecoder().decode(buffer.subarray(0, length)));
  }

  /** Empties the file now, and again whenever it has grown, until this is disposed or the signal fires. */
  keepSmall(signal: CancelSignal): void {
    this.#signal = signal;
    signal.addEventListener("abort", this.#dispose, { once: true });
    ftruncateSync(this.fd);
    this.#timer = setInterval(() => {
      if (fstatSync(this.fd).size > FILE_BYTES_MAX) ftruncateSync(this.fd);
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Closes the descriptor, with which the file goes; stops looking after its size. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#signal?.removeEventListener("abort", this.#dispose);
    clearInterval(this.#timer);
    closeSync(this.fd);
  }
}

/** Neither escape sequences nor a piece of a character reach anybody's terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}\[[0-9;]*[A-Za-z]/gu, "").replace(/[^\P{C}\n\t]/gu, "").trim();
}
