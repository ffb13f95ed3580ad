import assert from "node:assert/strict";
import type { LocalStream, PeerCredentials } from "../../src/transport/local_stream.ts";
import type {
  ControlReceipt,
  IncomingControl,
  PassedConnection,
  SendOutcome,
} from "../../src/transport/transport.ts";
import type { WaitOptions } from "../../src/transport/wait_options.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { decodeHandoffAck, encodeHandoffOffer } from "../../src/wire/handoff_frames.ts";
import { FakeStream } from "../transport/fake_stream.ts";
import { pattern } from "../transport/_transport.ts";

/** The user that the backend runs as. */
export const OWN_USER = 1000;
/** The token of the offer. */
export const TOKEN = pattern(16, 40);
/** The offer, behind its token. */
export const OFFER = encodeHandoffOffer({ token: TOKEN, serviceName: "svc", correlationId: 5n });

/** A connection that is passed in relay mode. */
export class OfferedConnection implements PassedConnection {
  readonly label = "fd 14";
  closed = 0;
  adopted = 0;
  waiting: ReturnType<PassedConnection["state"]> = "empty";
  readonly stream: LocalStream = new FakeStream();

  state(): ReturnType<PassedConnection["state"]> {
    return this.waiting;
  }

  isHungUp(): boolean {
    return this.waiting === "eof";
  }

  sendNow(): SendOutcome {
    throw new Error("in relay mode the broker writes the ready event");
  }

  adopt(): LocalStream {
    this.adopted++;
    return this.stream;
  }

  adoptLater(): LocalStream {
    throw new Error("in relay mode nothing was read before");
  }

  close(): void {
    this.closed++;
  }
}

/** A broker whose bytes are known beforehand; the connections come with the first of them. */
export class OneOfferBroker implements IncomingControl {
  peer: PeerCredentials | undefined = { pid: 7, uid: OWN_USER, gid: 1 };
  readonly asked: number[] = [];
  readonly written: Uint8Array[] = [];
  closed = 0;
  sending: SendOutcome = { ok: true };
  /** At most so many bytes a receive, however many are asked for. */
  pieceBytes = Infinity;
  /** What comes when the bytes are used up. */
  afterwards: ControlReceipt | "silence" = { kind: "eof" };
  #bytes: Uint8Array;
  #passed: readonly PassedConnection[];

  constructor(bytes: Uint8Array, ...passed: PassedConnection[]) {
    this.#bytes = bytes;
    this.#passed = passed;
  }

  receive(bytesMax: number, { signal }: WaitOptions): Promise<ControlReceipt> {
    this.asked.push(bytesMax);
    if (this.#bytes.length > 0) {
      const bytes = this.#bytes.slice(0, Math.min(bytesMax, this.pieceBytes));
      this.#bytes = this.#bytes.subarray(bytes.length);
      const connections = this.#passed;
      this.#passed = [];
      return Promise.resolve({ kind: "received", bytes, connections });
    }
    if (this.afterwards !== "silence") return Promise.resolve(this.afterwards);
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  }

  receiveNow(): ControlReceipt | undefined {
    throw new Error("a connection with one offer is waited for");
  }

  intoStream(): LocalStream {
    throw new Error("a connection with one offer is no stream");
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    this.written.push(bytes);
    return this.sending;
  }

  close(): void {
    this.closed++;
  }

  get ack(): string {
    assert.equal(this.written.length, 1, "one ACK");
    const ack = decodeHandoffAck(this.written[0]!.subarray(FRAME_HEADER_BYTES), () => ({
      correlationId: 5n,
      token: TOKEN,
    }));
    return ack.ok ? "accepted" : ack.detail;
  }
}
