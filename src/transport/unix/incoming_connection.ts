import type { CancelSignal } from "../../cancel_signal.ts";
import type { Socket } from "node:net";
import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import type { FirstFrameReader } from "../../wire/first_frame_reader.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import type { PeerCredentials } from "../local_stream.ts";
import { streamError } from "../os_error.ts";
import { socketFd } from "../socket_fd.ts";
import type { FirstFrameArrival, IncomingConnection } from "../transport.ts";
import { UnixDetachedConnection } from "./detached_connection.ts";
import { ownedEnd, PausedEnd } from "./detached_end.ts";

/** Bytes taken by one receive: any Hello of use, and what a hasty client sends behind it. */
const RECEIVE_BYTES = 64 * 1024;
/** Receives at accept time before the event loop takes over: one client must not hold the others up. */
const RECEIVES_AT_ONCE = 4;

/** An accepted client whose socket the runtime has not read from yet. */
export class UnixIncomingConnection implements IncomingConnection {
  readonly peer: PeerCredentials | undefined;
  readonly number: number;
  readonly #native: Native;
  readonly #socket: Socket;
  /** Whoever has the detached connection owns the socket. */
  #isDetached = false;

  /**
   * Takes a socket over and asks the kernel who connected.
   *
   * @param socket Accepted with `pauseOnConnect`; owned from now on.
   */
  constructor(native: Native, socket: Socket) {
    this.#native = native;
    this.#socket = socket;
    socket.on("error", () => {/* seen again by whoever reads or writes */});
    this.number = socketFd(socket);
    const peer = native.peerCredentials(this.number);
    this.peer = peer.ok ? peer.peer : undefined;
  }

  async firstFrame(reader: FirstFrameReader, options: WaitOptions): Promise<FirstFrameArrival> {
    const first = this.#receiveWaiting(reader);
    if (first !== undefined) {
      // Nobody has asked the runtime to read, so there is nothing to take the connection away from.
      this.#isDetached = true;
      return { first, connection: new UnixDetachedConnection(this.#native, new PausedEnd(this.#socket)) };
    }
    try {
      return await withDeadline(
        "read the first frame of a client",
        options,
        (signal) => this.#readOn(reader, signal),
      );
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (!this.#isDetached) this.#socket.destroy();
  }

  /** Takes what already waits in the kernel, so that most Hellos need no turn of the event loop. */
  #receiveWaiting(reader: FirstFrameReader): FirstFrameArrival["first"] | undefined {
    const fd = socketFd(this.#socket);
    for (let i = 0; i < RECEIVES_AT_ONCE; i++) {
      const received = this.#native.sockets.receiveBytes(fd, RECEIVE_BYTES);
      if (received.kind === "eof") return { kind: "eof", error: reader.endOfStream() };
      if (received.kind !== "data") return undefined;
      const first = reader.push(received.bytes);
      if (first.kind !== "need-more") return first;
    }
    return undefined;
  }

  #readOn(reader: FirstFrameReader, signal: CancelSignal): Promise<FirstFrameArrival> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (first: FirstFrameArrival["first"]) => {
        isSettled = true;
        try {
          // In the runtime's own callback: a read that it would start after it cannot swallow a byte.
          resolve({ first, connection: this.#detach() });
        } catch (error) {
          reject(error);
        }
      };
      socket.on("data", (chunk: Uint8Array) => {
        if (socket.destroyed) return;
        const first = reader.push(chunk);
        if (first.kind !== "need-more") settle(first);
      });
      socket.on("end", () => socket.destroyed || settle({ kind: "eof", error: reader.endOfStream() }));
      socket.on("error", (error) => reject(streamError("read the first frame of a client", error)));
      socket.on("close", () => {
        // After a detach, too; an error costs more than the rest of the callback.
        if (!isSettled) reject(new BrokerError("closed", "Cannot read the first frame: the client left"));
      });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      socket.resume();
    });
  }

  #detach(): UnixDetachedConnection {
    const copy = this.#native.sockets.duplicateFd(socketFd(this.#socket));
    this.#socket.destroy();
    if (copy.ok) return new UnixDetachedConnection(this.#native, ownedEnd(this.#native.ownFd(copy.fd)));
    throw new BrokerError("os", `Cannot detach a connection: dup returned ${copy.name}`);
  }
}
