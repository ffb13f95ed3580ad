import type { Native } from "../../../ffi/native.ts";
import type { OwnedFd } from "../../../ffi/owned_fd.ts";
import type { LocalStream } from "../local_stream.ts";
import type { PassedConnection, SendOutcome } from "../transport.ts";
import { adoptStream } from "./adopt_stream.ts";
import { LateStream } from "./late_stream.ts";
import { describeSend } from "./send_outcome.ts";

/** A descriptor that a broker passed; nobody reads it until it is adopted. */
export class UnixPassedConnection implements PassedConnection {
  readonly label: string;
  readonly #native: Native;
  readonly #fd: OwnedFd;
  /** Seen with a look that is taken anyway. */
  #isLast = false;

  /** Takes over a descriptor that was received. */
  constructor(native: Native, fd: OwnedFd) {
    this.#native = native;
    this.#fd = fd;
    this.label = `fd ${fd.fd}`;
  }

  state(): "empty" | "readable" | "eof" | "failed" {
    const state = this.#native.sockets.isReadable(this.#fd.fd);
    return state.kind === "error" ? "failed" : state.kind;
  }

  isHungUp(): boolean {
    const { kind } = this.#native.sockets.hangUp(this.#fd.fd);
    this.#isLast = kind === "ended";
    return kind === "hung-up" || kind === "error";
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    return describeSend(this.#native.sockets.sendBytes(this.#fd.fd, bytes), bytes.length);
  }

  adoptLater(residue: Uint8Array, greeting?: Uint8Array): LocalStream {
    const fd = this.#native.ownFd(this.#fd.release());
    return new LateStream(this.#native, fd, { residue, greeting, isLast: this.#isLast });
  }

  adopt(): LocalStream {
    // Given up only once it is the stream's: a runtime refuses what it cannot read as a connection.
    const stream = adoptStream(this.#fd.fd);
    this.#fd.release();
    return stream;
  }

  close(): void {
    this.#fd.close();
  }
}
