import type { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import type { PeerCredentials } from "../../src/transport/local_stream.ts";
import type {
  DetachedConnection,
  FirstFrameArrival,
  IncomingConnection,
} from "../../src/transport/transport.ts";

/** A client whose bytes are known beforehand, and what became of its connection. */
export class FakeClient implements IncomingConnection, DetachedConnection {
  readonly label = "fake";
  readonly peer: PeerCredentials | undefined;
  readonly written: Uint8Array[] = [];
  /** How the connection was ended, in order; the product has to end it once. */
  readonly endings: ("close" | "shutdown" | "finish")[] = [];
  bytesRead = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, peer: PeerCredentials | undefined) {
    this.#bytes = bytes;
    this.peer = peer;
  }

  firstFrame(reader: ReturnType<typeof createFirstFrameReader>): Promise<FirstFrameArrival> {
    this.bytesRead = true;
    const first = this.#bytes.length === 0 ? { kind: "need-more" as const } : reader.push(this.#bytes);
    if (first.kind !== "need-more") return Promise.resolve({ first, connection: this });
    return Promise.resolve({ first: { kind: "eof", error: reader.endOfStream() }, connection: this });
  }

  sendNow(bytes: Uint8Array): { ok: true } {
    this.written.push(bytes);
    return { ok: true };
  }

  finish(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes);
    this.endings.push("finish");
    return Promise.resolve();
  }

  close(): void {
    this.endings.push("close");
  }

  shutdownAndClose(): void {
    this.endings.push("shutdown");
  }
}
