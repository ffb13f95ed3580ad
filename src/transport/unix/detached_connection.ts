import type { Native } from "../../../ffi/native.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import { NetStream } from "../net_stream.ts";
import type { DetachedConnection, SendOutcome } from "../transport.ts";
import type { DetachedEnd } from "./detached_end.ts";
import { describeSend } from "./send_outcome.ts";

/** A client's connection as a bare descriptor: no event loop reads it. */
export class UnixDetachedConnection implements DetachedConnection {
  readonly #native: Native;
  readonly #end: DetachedEnd;

  /** Takes an end over. */
  constructor(native: Native, end: DetachedEnd) {
    this.#native = native;
    this.#end = end;
  }

  /** The descriptor; it stays this connection's. */
  get fd(): number {
    return this.#end.fd;
  }

  get label(): string {
    return this.#end.isOpen ? `fd ${this.#end.fd}` : "closed fd";
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    return describeSend(this.#native.sockets.sendBytes(this.#end.fd, bytes), bytes.length);
  }

  async finish(bytes: Uint8Array, options: WaitOptions): Promise<void> {
    const sent = this.#native.sockets.sendBytes(this.#end.fd, bytes);
    if (sent.kind === "sent" && sent.bytesSent === bytes.length) return this.close();
    if (sent.kind === "error") return this.close();
    const rest = sent.kind === "sent" ? bytes.subarray(sent.bytesSent) : bytes;
    await finishByStream(new NetStream(this.#end.intoSocket()), rest, options);
  }

  close(): void {
    this.#end.close();
  }

  shutdownAndClose(): void {
    if (this.#end.isOpen) this.#native.sockets.shutdownBoth(this.#end.fd);
    this.#end.close();
  }
}

/** The rest of a reply that the socket's buffer did not take at once. */
async function finishByStream(stream: NetStream, rest: Uint8Array, options: WaitOptions): Promise<void> {
  try {
    await withDeadline("write a reply", options, (signal) => {
      signal.addEventListener("abort", () => stream.close(), { once: true });
      return stream.write(rest);
    });
  } catch {
    // The peer left or was too slow to read: there is nobody to tell.
  } finally {
    stream.close();
  }
}
