import type { LocalStream, PeerCredentials } from "../../src/transport/local_stream.ts";
import type {
  ControlReceipt,
  IncomingControl,
  PassedConnection,
  SendOutcome,
} from "../../src/transport/transport.ts";
import { FakeStream } from "../transport/fake_stream.ts";

/** A connection that was passed, and what was done with it, in order. */
export class FakePassed implements PassedConnection {
  readonly label = "fd 14";
  readonly calls: string[] = [];
  readonly written: Uint8Array[] = [];
  readonly stream = new FakeStream();
  adoptedWith: { residue: Uint8Array; greeting: Uint8Array | undefined } | undefined;
  hungUp = false;
  sending: SendOutcome = { ok: true };

  state(): "empty" {
    return "empty";
  }

  isHungUp(): boolean {
    this.calls.push("look");
    return this.hungUp;
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    this.calls.push("send");
    this.written.push(bytes.slice());
    return this.sending;
  }

  adopt(): LocalStream {
    this.calls.push("adopt");
    return this.stream;
  }

  adoptLater(residue: Uint8Array, greeting?: Uint8Array): LocalStream {
    this.calls.push("adopt");
    this.adoptedWith = { residue: residue.slice(), greeting };
    return this.stream;
  }

  close(): void {
    this.calls.push("close");
  }
}

/** A broker's connection on the handoff endpoint; what comes on it is put in line beforehand. */
export class FakeControl implements IncomingControl {
  peer: PeerCredentials | undefined = { pid: 7, uid: 1000, gid: 1 };
  readonly receipts: ControlReceipt[] = [];
  readonly asked: number[] = [];
  readonly written: Uint8Array[] = [];
  readonly stream = new FakeStream();
  sending: SendOutcome = { ok: true };
  closed = 0;

  /** Puts bytes with their connections in line. */
  bring(bytes: Uint8Array, ...connections: PassedConnection[]): void {
    this.receipts.push({ kind: "received", bytes, connections });
  }

  receive(bytesMax: number): Promise<ControlReceipt> {
    return Promise.resolve(this.receiveNow(bytesMax) ?? { kind: "eof" });
  }

  receiveNow(bytesMax: number): ControlReceipt | undefined {
    this.asked.push(bytesMax);
    const next = this.receipts.shift();
    if (next?.kind !== "received" || next.bytes.length <= bytesMax) return next;
    this.receipts.unshift({ kind: "received", bytes: next.bytes.slice(bytesMax), connections: [] });
    return { ...next, bytes: next.bytes.slice(0, bytesMax) };
  }

  intoStream(): LocalStream {
    return this.stream;
  }

  sendNow(bytes: Uint8Array): SendOutcome {
    this.written.push(bytes.slice());
    return this.sending;
  }

  close(): void {
    this.closed++;
  }
}
