import type { CancelSignal } from "../../cancel_signal.ts";
import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import type { FirstFrameReader } from "../../wire/first_frame_reader.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import type { PeerCredentials } from "../local_stream.ts";
import { streamError } from "../os_error.ts";
import type { FirstFrameArrival, IncomingConnection } from "../transport.ts";
import { UnixDetachedConnection } from "./detached_connection.ts";
import { type AcceptedEnd, ownedEnd } from "./detached_end.ts";

/** Bytes taken by one receive: any Hello of use, and what a hasty client sends behind it. */
const RECEIVE_BYTES = 64 * 1024;
/** Receives at accept time before the event loop takes over: one client must not hold the others up. */
const RECEIVES_AT_ONCE = 4;

/** An accepted client whose socket the runtime has not read from yet. */
export class UnixIncomingConnection implements IncomingConnection {
  readonly peer: PeerCredentials | undefined;
  readonly number: number;
  readonly #native: Native;
  /** Ours until it is detached. */
  readonly #end: AcceptedEnd;
  #isDetached = false;

  /**
   * Takes an end over and asks the kernel who connected.
   *
   * @param end Accepted and never read; owned from now on.
   */
  constructor(native: Native, end: AcceptedEnd) {
    this.#native = native;
    this.#end = end;
    this.number = end.fd;
    const peer = native.peerCredentials(this.number);
    this.peer = peer.ok ? peer.peer : undefined;
  }

  async firstFrame(reader: FirstFrameReader, options: WaitOptions): Promise<FirstFrameArrival> {
    const first = this.#receiveWaiting(reader);
    if (first !== undefined) {
      // Nobody has asked the runtime to read, so there is nothing to take the connection away from.
      this.#isDetached = true;
      return { first, connection: new UnixDetachedConnection(this.#native, this.#end) };
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
    if (!this.#isDetached) this.#end.close();
  }

  /** Takes what already waits in the kernel, so that most Hellos need no turn of the event loop. */
  #receiveWaiting(reader: FirstFrameReader): FirstFrameArrival["first"] | undefined {
    const { fd } = this.#end;
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
    const end = this.#end;
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
      end.readBy({
        data(chunk) {
          if (isSettled) return;
          const first = reader.push(chunk);
          if (first.kind !== "need-more") settle(first);
        },
        end: () => isSettled || settle({ kind: "eof", error: reader.endOfStream() }),
        failed: (error) => reject(streamError("read the first frame of a client", error)),
        closed() {
          // After a detach, too; an error costs more than the rest of the callback.
          if (!isSettled) reject(new BrokerError("closed", "Cannot read the first frame: the client left"));
        },
      });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  #detach(): UnixDetachedConnection {
    const copy = this.#native.sockets.duplicateFd(this.#end.fd);
    this.#end.close();
    if (copy.ok) return new UnixDetachedConnection(this.#native, ownedEnd(this.#native.ownFd(copy.fd)));
    throw new BrokerError("os", `Cannot detach a connection: dup returned ${copy.name}`);
  }
}
