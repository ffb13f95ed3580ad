import type { Socket } from "node:net";
import type { Native } from "../../../ffi/native.ts";
import { NetStream } from "../net_stream.ts";
import { socketFd } from "../socket_fd.ts";
import type { ControlConnection, DetachedConnection, PassOutcome, SendOutcome } from "../transport.ts";
import { UnixDetachedConnection } from "./detached_connection.ts";
import { describeSend } from "./send_outcome.ts";

type PassFailureKind = Extract<PassOutcome, { ok: false }>["kind"];

/** The reference's classes of a failed `sendmsg` (protocol 7.8); every other errno is "SendFailed". */
const KINDS: Readonly<Record<string, PassFailureKind>> = {
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied",
  ECONNREFUSED: "BackendSocketUnavailable",
  ECONNRESET: "BackendSocketUnavailable",
  EPIPE: "BackendSocketUnavailable",
  ENOTCONN: "BackendSocketUnavailable",
};

/** The broker's end of a handoff endpoint's connection. */
export class UnixControlConnection extends NetStream implements ControlConnection {
  readonly #native: Native;
  readonly #control: Socket;

  /** Takes over a connected socket. */
  constructor(native: Native, socket: Socket) {
    super(socket);
    this.#native = native;
    this.#control = socket;
  }

  pass(
    connection: DetachedConnection,
    token: Uint8Array,
    offer: (handleValue: bigint) => Uint8Array,
    doorbell?: ControlConnection,
  ): PassOutcome {
    if (!(connection instanceof UnixDetachedConnection)) {
      throw new TypeError("Cannot pass a connection of another transport");
    }
    if (this.#control.destroyed) {
      return failed("BackendSocketUnavailable", "the control connection is closed", false);
    }
    // A backend of the reference reads what it gets as the reference's broker passes it: in blocking mode.
    const blocking = doorbell === undefined ? this.#native.sockets.makeBlocking(connection.fd) : undefined;
    if (blocking?.ok === false) return failed("SendFailed", `fcntl returned ${blocking.name}`, false);
    const control = socketFd(this.#control);
    const sent = this.#native.fdPassing.sendFd(control, token, connection.fd);
    if (!sent.ok) {
      const kind = sent.isBackpressure ? "WouldBlock" : KINDS[sent.name] ?? "SendFailed";
      return failed(kind, `sendmsg returned ${sent.name}`, sent.bytesSent > 0);
    }
    const frame = offer(0n);
    const outcome = doorbell === undefined
      ? describeSend(this.#native.sockets.sendBytes(control, frame), frame.length)
      : doorbell.sendInOrder(frame);
    return outcome.ok ? { ok: true } : failed("SendFailed", `offer not sent: ${outcome.detail}`, true);
  }

  sendInOrder(bytes: Uint8Array): SendOutcome {
    const control = this.#control;
    if (control.destroyed) return { ok: false, detail: "the control connection is closed" };
    let rest = bytes;
    // What the runtime still holds back has to go first.
    if (control.writableLength === 0) {
      const sent = this.#native.sockets.sendBytes(socketFd(control), bytes);
      if (sent.kind === "error") return describeSend(sent, bytes.length);
      if (sent.kind === "sent") rest = bytes.subarray(sent.bytesSent);
    }
    if (rest.length > 0) control.write(rest.slice());
    return { ok: true };
  }
}

function failed(kind: PassFailureKind, detail: string, reachedBackend: boolean): PassOutcome {
  return { ok: false, kind, detail, reachedBackend };
}
