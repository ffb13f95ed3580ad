import type { CancelSignal } from "../cancel_signal.ts";
import type { Clock } from "./clock.ts";
import type {
  DetachedConnection,
  FirstFrameArrival,
  IncomingConnection,
  Transport,
} from "../transport/transport.ts";
import type { PeerCredentials } from "../transport/local_stream.ts";
import { decodeAdminRequest, encodeAdminReply } from "../wire/admin_frames.ts";
import { createFirstFrameReader } from "../wire/first_frame_reader.ts";
import { FRAMING_REFUSALS, routeFirstFrame } from "../wire/first_frame.ts";
import type { AdminReplySchema, AdminRequest } from "../wire/gen/broker_v1_admin_pb.ts";
import type { Frame } from "../wire/gen/broker_v1_envelope_pb.ts";
import { encodeNegotiatedReply, encodeRefusedReply, type Refusal } from "../wire/hello.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RegisteredBackend } from "./backend_registry.ts";
import type { BrokerObserver } from "./broker_event.ts";
import type { HandoffDesk } from "./handoff_desk.ts";
import type { HelloAnswer, HelloHandler } from "./hello_handler.ts";
import type { FdPressureGuard } from "./limits/fd_pressure_guard.ts";
import { isPeerAllowed, type PeerPolicy } from "./peer_policy.ts";
import { REFUSALS } from "./refusals.ts";

/** Milliseconds a client has to take a reply that does not fit into its socket's buffer. */
const REPLY_DEADLINE_MS = 5_000;

/** What serving a connection needs; one for the life of a broker. */
export interface ClientConnectionParts {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** Answers Hellos. */
  readonly handler: HelloHandler<RegisteredBackend>;
  /** Hands negotiated connections over. */
  readonly handoffs: HandoffDesk;
  /** Milliseconds a client has for its first frame. */
  readonly firstFrameDeadlineMs: number;
  /** Largest body of a first frame that is read at all. */
  readonly firstFrameBytesMax: number;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Told what becomes of each client. */
  readonly observe: BrokerObserver;
  /** Whether the broker stops: Hellos are refused then. */
  readonly isDraining: () => boolean;
  /** Refuses Hellos while descriptors run out; `undefined` where nobody watches them. */
  readonly fdPressure?: Pick<FdPressureGuard, "refuse"> | undefined;
  /** `undefined` where only Hellos are served: an operator's request then is one that is none (protocol 6.4). */
  readonly answerAdmin:
    | ((request: AdminRequest) => Promise<MessageInitShape<typeof AdminReplySchema>>)
    | undefined;
  /** Whom to listen to. @default {"owner-only"} */
  readonly peerPolicy?: PeerPolicy | undefined;
  /** Fires when the broker stops: whoever has not sent a frame by then is dropped. */
  readonly stop: CancelSignal;
}

/** What holds for one client only. */
export interface ClientTerms {
  /** Why its Hello is refused, whatever it says. */
  readonly refusal?: Refusal | undefined;
  /** Milliseconds it has for its first frame. @default {what all have} */
  readonly firstFrameDeadlineMs?: number | undefined;
  /** Called when its first frame has come, or it has ended without one. */
  readonly hasSpoken?: (() => void) | undefined;
}

/** Serves one accepted client to the end of the broker's part in it. Never rejects. */
export async function serveClient(
  parts: ClientConnectionParts,
  incoming: IncomingConnection,
  terms: ClientTerms = {},
): Promise<void> {
  const { peer } = incoming;
  if (!isPeerAllowed(parts.peerPolicy ?? "owner-only", peer, parts.transport.ownUser)) {
    // Before a byte is read, and without one sent: a stranger learns nothing.
    incoming.close();
    return parts.observe({ kind: "peer-dropped", peer });
  }
  try {
    const reader = createFirstFrameReader({ frameBytesMax: parts.firstFrameBytesMax });
    const deadlineMs = terms.firstFrameDeadlineMs ?? parts.firstFrameDeadlineMs;
    const wait = { deadlineMs, signal: parts.stop };
    const arrival = await incoming.firstFrame(reader, wait);
    terms.hasSpoken?.();
    await new ClientExchange(parts, terms, peer, arrival.connection).answer(arrival.first);
  } catch (error) {
    incoming.close();
    parts.observe({ kind: "connection-failed", peer, detail: (error as Error).message });
  }
}

/** The one exchange of a client connection: its first frame, our reply, and the handoff behind it. */
class ClientExchange {
  readonly #parts: ClientConnectionParts;
  readonly #terms: ClientTerms;
  readonly #peer: PeerCredentials;
  readonly #connection: DetachedConnection;
  readonly #startMs: number;

  constructor(
    parts: ClientConnectionParts,
    terms: ClientTerms,
    peer: PeerCredentials,
    connection: DetachedConnection,
  ) {
    this.#parts = parts;
    this.#terms = terms;
    this.#peer = peer;
    this.#connection = connection;
    this.#startMs = parts.clock();
  }

  async answer(first: FirstFrameArrival["first"]): Promise<void> {
    try {
      if (first.kind !== "frame") return await this.#refuse(undefined, FRAMING_REFUSALS[first.error.kind]);
      const route = routeFirstFrame(first.body, false);
      switch (route.kind) {
        case "refuse":
          return await this.#refuse(route.frame, route.refusal);
        case "admin":
          if (this.#parts.answerAdmin === undefined) {
            return await this.#answerHello(route.frame, first.residue);
          }
          return await this.#answerAdmin(route.frame, this.#parts.answerAdmin);
        case "hello":
          return await this.#answerHello(route.frame, first.residue);
      }
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  async #answerHello(frame: Frame, residue: Uint8Array): Promise<void> {
    const { handler, clock, isDraining, fdPressure } = this.#parts;
    if (isDraining()) return await this.#refuse(frame, REFUSALS.shuttingDown);
    const refused = fdPressure?.refuse() ?? this.#terms.refusal;
    if (refused !== undefined) return await this.#refuse(frame, refused);
    const answer = await handler.answer({
      frame,
      peerPid: this.#peer.pid,
      residueBytes: residue.length,
      nowMs: clock(),
    });
    if (answer.kind === "refused") {
      return await this.#finishHello(encodeRefusedReply(frame, answer.refusal), answer);
    }
    const reply = encodeNegotiatedReply(frame, answer.negotiated);
    if (answer.token === undefined) return await this.#finishHello(reply, answer);
    const durationUs = this.#sinceStartUs();
    const client = {
      connection: this.#connection,
      reply,
      residue,
      answered: () => this.#observeHello(answer, durationUs),
    };
    await this.#parts.handoffs.handOver(client, answer, answer.token);
  }

  async #answerAdmin(
    frame: Frame,
    answer: NonNullable<ClientConnectionParts["answerAdmin"]>,
  ): Promise<void> {
    const decoded = decodeAdminRequest(frame);
    if (!decoded.ok) {
      this.#connection.close();
      const detail = `${decoded.kind}: ${decoded.detail}`;
      return this.#parts.observe({ kind: "connection-failed", peer: this.#peer, detail });
    }
    this.#parts.observe({ kind: "admin", peer: this.#peer, verb: decoded.request.verb });
    await this.#finish(encodeAdminReply(frame, await answer(decoded.request)));
  }

  async #refuse(frame: Frame | undefined, refused: Refusal): Promise<void> {
    const answer = { kind: "refused", hello: undefined, refusal: refused } as const;
    await this.#finishHello(encodeRefusedReply(frame, refused), answer);
  }

  /** The client first: whoever is told of a Hello takes time. */
  async #finishHello(reply: Uint8Array, answer: HelloAnswer<RegisteredBackend>): Promise<void> {
    const durationUs = this.#sinceStartUs();
    const finishing = this.#finish(reply);
    this.#observeHello(answer, durationUs);
    await finishing;
  }

  #finish(reply: Uint8Array): Promise<void> {
    return this.#connection.finish(reply, { deadlineMs: REPLY_DEADLINE_MS });
  }

  #sinceStartUs(): number {
    return Math.round((this.#parts.clock() - this.#startMs) * 1000);
  }

  #observeHello(answer: HelloAnswer<RegisteredBackend>, durationUs: number): void {
    const isRefused = answer.kind === "refused";
    this.#parts.observe({
      kind: "hello",
      peer: this.#peer,
      service: answer.hello?.serviceName ?? "",
      version: answer.hello?.wantedVersion ?? "",
      outcome: isRefused ? answer.refusal.reason : "negotiated",
      code: isRefused ? answer.refusal.code : 0,
      connectionId: isRefused ? 0n : answer.negotiated.connectionId,
      handoffAnnounced: !isRefused && answer.token !== undefined,
      durationUs,
    });
  }
}
