import type { Native } from "../../../ffi/native.ts";
import { runtime } from "../runtime.ts";
import type { WaitOptions } from "../wait_options.ts";
import { LateStream } from "./late_stream.ts";

/** Endpoints remembered; a process talks to a broker or two and their backends. */
const ALLOWED_MAX = 64;

/**
 * Connects by calls of its own, so that what a client says first is there when its peer accepts it: a runtime
 * tells of a connection one turn of its event loop after it stands, and the peer has then woken up for nothing.
 */
export class DirectDialer {
  readonly #native: Native;
  /** What Deno's own API has connected to: its permissions have been asked then. */
  readonly #allowed = new Set<string>();

  constructor(native: Native) {
    this.#native = native;
  }

  /** Notes that the runtime allows an endpoint. */
  allow(endpoint: string): void {
    if (this.#allowed.size >= ALLOWED_MAX) this.#allowed.clear();
    this.#allowed.add(endpoint);
  }

  /**
   * Connects at once or not at all.
   *
   * @returns `undefined` where the runtime has to connect: it waits where many wait to be accepted, and says what is
   *   wrong in words of its own.
   * @throws The caller's abort reason.
   */
  dial(endpoint: string, { signal }: WaitOptions): LateStream | undefined {
    signal?.throwIfAborted();
    if (runtime === "deno" && !this.#allowed.has(endpoint)) return undefined;
    const dialled = this.#native.dial(endpoint);
    if (!dialled.ok) return undefined;
    return new LateStream(this.#native, this.#native.ownFd(dialled.fd));
  }
}
