import type { CancelSignal } from "../cancel_signal.ts";
import { OFFER_BODY_BYTES_MAX } from "../handoff/adopt_plan.ts";
import { adoptDirectly } from "../handoff/direct_adoption.ts";
import { HandoffToken } from "../handoff/handoff_token.ts";
import type { SpentTokens } from "../handoff/spent_tokens.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { IncomingControl, PassedConnection } from "../transport/transport.ts";
import { HANDOFF_TOKEN_BYTES } from "../wire/constants.ts";
import { constantTimeEqual } from "../wire/bytes.ts";
import { createFrameDecoder } from "../wire/frame_decoder.ts";
import type { HandoffOffer } from "../wire/gen/broker_v1_envelope_pb.ts";
import { DIRECT_EXTENSIONS, EXTENSION_REPEATABLE } from "../wire/handoff_extension.ts";
import { decodeHandoffOffer, encodeHandoffReady } from "../wire/handoff_frames.ts";
import { AckBatch } from "./ack_batch.ts";
import type { BackendObserver } from "./backend_event.ts";

/** What serving a warm channel needs. */
export interface ChannelServerParts {
  /** Brings tokens with descriptors; never read by the runtime, which would drop them. */
  readonly passing: IncomingControl;
  /** Brings the offers, each behind its descriptor; a stream now. */
  readonly doorbell: LocalStream;
  /** The tokens that the backend has used up. */
  readonly spent: SpentTokens;
  /** Told what becomes of each offer. */
  readonly observe: BackendObserver;
  /** Takes an adopted connection over. */
  readonly adopted: (stream: LocalStream) => void;
  /** Ends the channel: the backend stops. */
  readonly signal: CancelSignal;
}

/** What was offered and what came with it do not belong together: nothing on this channel can be trusted. */
class ChannelViolation extends Error {}

/** The backend's side of a warm channel: descriptors come on one connection, offers on another. */
export class ChannelServer {
  readonly #parts: ChannelServerParts;
  readonly #acks: AckBatch;

  /** Takes both connections over. */
  constructor(parts: ChannelServerParts) {
    this.#parts = parts;
    // An ACK that does not leave ends no session: its client has seen the ready event (model rule 8).
    this.#acks = new AckBatch((bytes) => void parts.doorbell.write(bytes).catch(() => {}));
  }

  /** Serves offers until either side ends the channel. Never rejects. */
  async serve(): Promise<void> {
    const { doorbell, passing, observe, signal } = this.#parts;
    const decoder = createFrameDecoder({ frameBytesMax: OFFER_BODY_BYTES_MAX });
    try {
      for (;;) {
        const chunk = await doorbell.read(signal);
        if (chunk === null) return;
        for (const body of decoder.push(chunk)) this.#take(body);
      }
    } catch (error) {
      if (signal.aborted) return;
      observe({ kind: "handoff-refused", reason: "invalid-offer", detail: (error as Error).message });
    } finally {
      this.#acks.flush();
      passing.close();
      doorbell.close();
    }
  }

  /** @throws {ChannelViolation} When offers and descriptors have gone out of step. */
  #take(body: Uint8Array): void {
    const startMs = performance.now();
    const { prefix, connection } = this.#receive();
    try {
      const reading = decodeHandoffOffer(body);
      if (!reading.ok) throw new ChannelViolation(reading.detail);
      this.#decide(prefix, connection, reading.offer, startMs);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** The broker sends each descriptor before its offer: it is there. */
  #receive(): { prefix: HandoffToken; connection: PassedConnection } {
    const receipt = this.#parts.passing.receiveNow(HANDOFF_TOKEN_BYTES);
    if (receipt?.kind !== "received") {
      const seen = receipt?.kind === "violation" ? receipt.reason : receipt?.kind ?? "nothing";
      throw new ChannelViolation(`an offer came without its descriptor: ${seen}`);
    }
    const { bytes, connections } = receipt;
    const prefix = HandoffToken.fromBytes(bytes);
    const [connection] = connections;
    if (prefix !== undefined && connection !== undefined && connections.length === 1) {
      return { prefix, connection };
    }
    for (const surplus of connections) surplus.close();
    throw new ChannelViolation(`${connections.length} descriptors came with ${bytes.length} bytes`);
  }

  #decide(prefix: HandoffToken, connection: PassedConnection, offer: HandoffOffer, startMs: number): void {
    const { spent, observe, adopted } = this.#parts;
    const { token, correlationId, residue, extensions } = offer;
    // One of a pair got lost: the next descriptor would be taken for another client's.
    if (!constantTimeEqual(token, prefix.toBytes())) {
      throw new ChannelViolation("an offer came with another offer's descriptor");
    }
    const ready = encodeHandoffReady({ token, accepted: true, correlationId });
    const isRepeatable = (extensions & EXTENSION_REPEATABLE) !== 0n;
    const verdict = adoptDirectly(spent, prefix, {
      isHungUp: () => connection.isHungUp(),
      writeReady: () => {
        const sent = isRepeatable ? undefined : connection.sendNow(ready);
        return sent?.ok === false ? sent.detail : undefined;
      },
    }, startMs);
    const isAccepted = verdict.kind === "adopt";
    // Whoever hears of the refusal must find the connection ended.
    if (!isAccepted) connection.close();
    this.#acks.add({
      token,
      correlationId,
      accepted: isAccepted,
      errorDetail: isAccepted ? "" : verdict.detail,
      extensions: DIRECT_EXTENSIONS,
      readyRelayed: isAccepted,
    });
    if (!isAccepted) {
      return observe({ kind: "handoff-refused", reason: verdict.reason, detail: verdict.detail });
    }
    const native = connection.label;
    const durationUs = Math.round((performance.now() - startMs) * 1000);
    adopted(connection.adoptLater(residue, isRepeatable ? ready : undefined));
    observe({ kind: "adopted", correlationId, native, durationUs });
  }
}
