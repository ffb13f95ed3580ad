import type { Native } from "../../../ffi/native.ts";
import type { OwnedFd } from "../../../ffi/owned_fd.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import { NetStream } from "../net_stream.ts";
import { adoptSocketFd } from "../socket_fd.ts";
import type { DetachedConnection, SendOutcome } from "../transport.ts";
import { describeSend } from "./send_outcome.ts";

/** A client's connection as a bare descriptor: no event loop reads it. */
export class UnixDetachedConnection implements DetachedConnection {
  readonly #native: Native;
  readonly #fd: OwnedFd;

  /** Takes over a socket's descriptor that no runtime knows. */
  constructor(native: Native, fd: OwnedFd) {
    this.#native = native;
    this.#fd = fd;
  }

  /** The descriptor; it stays this connection's. */
  get fd(): number {
    return this.#fd.fd;
  }

  get label(): string {
    return this.#fd.isOpen ? `fd ${this.#fd.fd}` : "closed fd";
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    return describeSend(this.#native.sockets.sendBytes(this.#fd.fd, bytes), bytes.length);
  }

  async finish(bytes: Uint8Array, options: WaitOptions): Promise<void> {
    const sent = this.#native.sockets.sendBytes(this.#fd.fd, bytes);
    if (sent.kind === "sent" && sent.bytesSent === bytes.length) return this.close();
    if (sent.kind === "error") return this.close();
    const rest = sent.kind === "sent" ? bytes.subarray(sent.bytesSent) : bytes;
    await finishByStream(new NetStream(adoptSocketFd(this.#fd.release())), rest, options);
  }

  close(): void {
    this.#fd.close();
  }

  shutdownAndClose(): void {
    if (this.#fd.isOpen) this.#native.sockets.shutdownBoth(this.#fd.fd);
    this.#fd.close();
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
