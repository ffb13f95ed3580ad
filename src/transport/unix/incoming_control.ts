import type { Socket } from "node:net";
import { RECEIVE_BYTES_MAX } from "../../../ffi/fd_passing.ts";
import type { Native } from "../../../ffi/native.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import type { LocalStream, PeerCredentials } from "../local_stream.ts";
import { NetStream } from "../net_stream.ts";
import { runtime } from "../runtime.ts";
import { socketFd } from "../socket_fd.ts";
import type { ControlReceipt, IncomingControl, SendOutcome } from "../transport.ts";
import { adoptBun } from "./bun_stream.ts";
import { UnixPassedConnection } from "./passed_connection.ts";
import { retryTurn } from "./poll_interval.ts";
import { describeSend } from "./send_outcome.ts";

/** Descriptors taken with one receive; more than the one that is due, so that a surplus is seen and closed. */
const FDS_MAX = 16;

/**
 * A broker's connection on the handoff endpoint.
 *
 * Its socket is never resumed: a read by the runtime would drop the descriptors. Every receive asks
 * for exactly the bytes that come next (model rule 23).
 */
export class UnixIncomingControl implements IncomingControl {
  readonly peer: PeerCredentials | undefined;
  readonly #native: Native;
  readonly #socket: Socket;

  /**
   * Takes a socket over and asks the kernel who connected.
   *
   * @param socket Accepted with `pauseOnConnect`; owned from now on.
   */
  constructor(native: Native, socket: Socket) {
    this.#native = native;
    this.#socket = socket;
    socket.on("error", () => {/* seen again by the next call on the descriptor */});
    const peer = native.peerCredentials(socketFd(socket));
    this.peer = peer.ok ? peer.peer : undefined;
  }

  receive(bytesMax: number, options: WaitOptions): Promise<ControlReceipt> {
    return withDeadline("receive an offer", options, async (signal) => {
      for (let attempt = 0;; attempt++) {
        const receipt = this.receiveNow(bytesMax);
        if (receipt !== undefined) return receipt;
        await retryTurn(attempt, signal);
      }
    });
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    if (this.#socket.destroyed) return { ok: false, detail: "the control connection is closed" };
    return describeSend(this.#native.sockets.sendBytes(socketFd(this.#socket), bytes), bytes.length);
  }

  intoStream(): LocalStream {
    // Each offer rings here, and a native socket of Bun takes a third less for that than the one it was accepted as.
    const copy = runtime === "bun" ? this.#native.sockets.duplicateFd(socketFd(this.#socket)) : undefined;
    if (copy?.ok !== true) return new NetStream(this.#socket);
    this.#socket.destroy();
    return adoptBun(copy.fd);
  }

  close(): void {
    this.#socket.destroy();
  }

  receiveNow(bytesMax: number): ControlReceipt | undefined {
    if (this.#socket.destroyed) return { kind: "eof" };
    const length = Math.min(bytesMax, RECEIVE_BYTES_MAX);
    const received = this.#native.fdPassing.receive(socketFd(this.#socket), length, { fdsMax: FDS_MAX });
    switch (received.kind) {
      case "again":
        return undefined;
      case "eof":
        return received;
      case "data": {
        const connections = received.fds.map((fd) =>
          new UnixPassedConnection(this.#native, this.#native.ownFd(fd))
        );
        return { kind: "received", bytes: received.bytes, connections };
      }
      case "violation":
        return { kind: "violation", reason: received.reason };
      case "error":
        return { kind: "violation", reason: `recvmsg returned ${received.name}` };
    }
  }
}
