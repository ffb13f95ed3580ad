import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import type { HandoffBooks } from "../../src/handoff/ack_wait.ts";
import type { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { BrokerError } from "../../src/errors.ts";
import type {
  ControlConnection,
  DetachedConnection,
  PassOutcome,
  SendOutcome,
  Transport,
} from "../../src/transport/transport.ts";
import { encodeHandoffAck, type HandoffAckInit } from "../../src/wire/handoff_frames.ts";
import { issued, tokenStore } from "../handoff/_support.ts";
import { FakeStream } from "../transport/fake_stream.ts";
import { FakeClient } from "./fake_client.ts";

/** The broker's end of a control connection, whose backend is the test. */
export class FakeControl extends FakeStream implements ControlConnection {
  /** What became of each connection that was to be passed. */
  readonly passed: { token: Uint8Array; offer: Uint8Array }[] = [];
  outcome: PassOutcome;

  constructor(outcome: PassOutcome = { ok: true }) {
    super();
    this.outcome = outcome;
  }

  pass(
    _connection: DetachedConnection,
    token: Uint8Array,
    offer: (value: bigint) => Uint8Array,
    _doorbell?: ControlConnection,
  ): PassOutcome {
    this.passed.push({ token: token.slice(), offer: offer(0n).slice() });
    return this.outcome;
  }

  sendInOrder(bytes: Uint8Array): SendOutcome {
    void this.write(bytes);
    return { ok: true };
  }
}

/** What a dial comes to: a connection, or the failure of the system. */
export type Dial = FakeControl | { errno: string } | BrokerError | "never";

/** A transport whose dials are written down; it notes where they went and with how much time. */
export class FakeDialer {
  readonly dials: { endpoint: string; deadlineMs: number; backendPid: number | undefined }[] = [];
  /** The connections that were made to warm backends up. */
  readonly pairs: { passed: FakeClient; kept: FakeClient }[] = [];
  hasNoDescriptors = false;
  #script: Dial[];

  constructor(...script: Dial[]) {
    this.#script = [...script];
  }

  /** As the part of a transport that handoffs use. */
  get transport(): Transport {
    const dialControl: Transport["dialControl"] = (endpoint, options) => {
      const { deadlineMs, signal, backendPid } = options;
      this.dials.push({ endpoint, deadlineMs, backendPid });
      const next = this.#script.shift();
      if (next instanceof FakeControl) return Promise.resolve(next);
      if (next instanceof BrokerError) return Promise.reject(next);
      if (next === "never") {
        return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      }
      const cause = Object.assign(new Error("connect"), { code: next?.errno ?? "ENOENT" });
      return Promise.reject(
        new BrokerError("os", `Cannot connect to "${endpoint}": ${cause.code}`, { cause }),
      );
    };
    const connectionPair = () => {
      if (this.hasNoDescriptors) throw new BrokerError("os", "Cannot make a connection: EMFILE");
      const pair = { passed: heldConnection(), kept: heldConnection() };
      this.pairs.push(pair);
      return pair;
    };
    return { ownUser: 1000, dialControl, connectionPair } as unknown as Transport;
  }
}

/** Books with one token that was issued. */
export function booksWithToken(nowMs = 0): { books: HandoffBooks; token: HandoffToken } {
  const books = { tokens: tokenStore(), acks: new HandoffAckRegistry() };
  return { books, token: issued(books.tokens, nowMs) };
}

/** The frame of a backend's answer to an offer. */
export function ackFrame(
  token: HandoffToken,
  correlationId: bigint,
  fields: HandoffAckInit = {},
): Uint8Array {
  return encodeHandoffAck({ token: token.toBytes(), accepted: true, correlationId, ...fields });
}

/** A client's connection as the broker holds it once its Hello was read. */
export function heldConnection(): FakeClient {
  return new FakeClient(new Uint8Array(0), { pid: 7, uid: 1000, gid: 1000 });
}
