import { randomBytes } from "node:crypto";
import { CancelSource } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import { planAdoptOffer } from "../handoff/adopt_frames.ts";
import { nextAdoptStep, startAdoptOffer } from "../handoff/adopt_offer.ts";
import { type AdoptOutcome, DEFAULT_OFFER_DEADLINE_MS } from "../handoff/adopt_plan.ts";
import type { AdoptOfferEvent } from "../handoff/adopt_step.ts";
import { SpentTokens } from "../handoff/spent_tokens.ts";
import { HandoffTokenStore } from "../handoff/token_store.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { IncomingControl, PassedConnection } from "../transport/transport.ts";
import { FRAMING_VERSION_V1 } from "../wire/constants.ts";
import { CHANNEL_ID_BYTES } from "../wire/handoff_extension.ts";
import type { BackendObserver } from "./backend_event.ts";
import type { BrokerCheck } from "./broker_check.ts";
import { ChannelServer } from "./channel_server.ts";
import { answerDoorbell } from "./doorbell.ts";
import { KeptControls } from "./kept_controls.ts";
import { OfferDriver } from "./offer_driver.ts";

/** Control connections served at once; a broker has few handoffs under way, a stranger gets no more than this. */
export const CONTROLS_MAX = 256;

/** What an acceptor is made of. */
export interface HandoffAcceptorParts {
  /** Who may pass connections: nothing else proves a broker, whose tokens are not known here beforehand. */
  readonly checkBroker: BrokerCheck;
  /** Told what becomes of each offer. */
  readonly observe: BackendObserver;
  /** Takes an adopted connection over. */
  readonly adopted: (stream: LocalStream) => void;
}

/** What becomes of a control connection when its first offer is done. */
interface Holding {
  /** Somebody else closes it. */
  isKept: boolean;
  /** It serves offers until then. */
  until: Promise<void> | undefined;
}

/** A doorbell rings with a frame, where an offer begins with a token and a descriptor. */
type Ring = Extract<AdoptOfferEvent, { kind: "received" }>;

/** Takes offers on the handoff endpoint, one a connection or many on a warm channel, and adopts what they pass. */
export class HandoffAcceptor {
  readonly #parts: HandoffAcceptorParts;
  readonly #stores = {
    tokens: new HandoffTokenStore((length) => randomBytes(length)),
    spent: new SpentTokens(),
  };
  readonly #kept = new KeptControls();
  readonly #stop = new CancelSource();
  #controls = 0;

  /** Makes an acceptor that has seen no offer yet. */
  constructor(parts: HandoffAcceptorParts) {
    this.#parts = parts;
  }

  /**
   * Serves one connection of the handoff endpoint: settles when its offer is done, or when it has become part of
   * a channel, which costs nothing while nothing is offered. Never rejects.
   */
  async accept(control: IncomingControl): Promise<void> {
    if (this.#controls >= CONTROLS_MAX) return control.close();
    this.#controls++;
    const held: Holding = { isKept: false, until: undefined };
    try {
      await this.#serve(control, held);
    } catch (error) {
      // It was passed and acknowledged, and is nothing that this runtime can read.
      const detail = (error as Error).message;
      this.#parts.observe({ kind: "connection-unused", origin: "handoff", detail });
    } finally {
      if (!held.isKept) control.close();
      if (held.until === undefined) this.#controls--;
      else void held.until.then(() => this.#controls--);
    }
  }

  /** Gives up the offers that are under way, and ends the channels. */
  stop(): void {
    this.#stop.abort(new BrokerError("closed", "The backend stops"));
    this.#kept.close();
  }

  async #serve(control: IncomingControl, held: Holding): Promise<void> {
    const startMs = performance.now();
    const deadlineMs = startMs + DEFAULT_OFFER_DEADLINE_MS;
    const drawChannelId = () => randomBytes(CHANNEL_ID_BYTES);
    const plan = planAdoptOffer({ ...this.#stores, deadlineMs, drawChannelId });
    const driver = new OfferDriver({
      control,
      signal: this.#stop,
      adopt: (connection, correlationId) => this.#adopt(connection, correlationId, startMs),
      keep: (channelId) => {
        held.isKept = true;
        this.#kept.keep(channelId, control);
      },
    });
    let { state, steps } = startAdoptOffer(plan);
    let event = await this.#rejectPeer(control) ?? await driver.take(steps);
    if (isRing(event)) {
      const channel = await this.#openChannel(control, event.bytes, deadlineMs);
      if (channel === undefined) return;
      held.isKept = true;
      held.until = channel.serve();
      return;
    }
    for (;;) {
      ({ state, steps } = nextAdoptStep(state, event, performance.now()));
      event = await driver.take(steps);
      if (state.phase === "done") return this.#report(state.outcome);
    }
  }

  #adopt(connection: PassedConnection, correlationId: bigint, startMs: number): void {
    const { observe, adopted } = this.#parts;
    const stream = connection.adopt();
    const durationUs = Math.round((performance.now() - startMs) * 1000);
    observe({ kind: "adopted", correlationId, native: connection.label, durationUs });
    adopted(stream);
  }

  async #rejectPeer({ peer }: IncomingControl): Promise<AdoptOfferEvent | undefined> {
    const detail = await this.#parts.checkBroker(peer);
    return detail === undefined ? undefined : { kind: "peer-rejected", detail };
  }

  /** @param front The first bytes of the frame it rang with. */
  async #openChannel(
    control: IncomingControl,
    front: Uint8Array,
    deadlineMs: number,
  ): Promise<ChannelServer | undefined> {
    const { observe, adopted } = this.#parts;
    const wait = { deadlineMs: deadlineMs - performance.now(), signal: this.#stop };
    const rung = await answerDoorbell(control, front, (id) => this.#kept.take(id, control.peer?.pid), wait);
    if (!rung.ok) {
      observe({ kind: "handoff-refused", reason: "invalid-offer", detail: rung.detail });
      return undefined;
    }
    const { passing } = rung;
    const doorbell = control.intoStream();
    return new ChannelServer({
      passing,
      doorbell,
      spent: this.#stores.spent,
      observe,
      adopted,
      signal: this.#stop,
    });
  }

  #report(outcome: AdoptOutcome): void {
    if (outcome.kind === "adopted") return;
    this.#parts.observe({ kind: "handoff-refused", reason: outcome.reason, detail: outcome.detail });
  }
}

function isRing(event: AdoptOfferEvent): event is Ring {
  return event.kind === "received" && event.fds.length === 0 && event.bytes[0] === FRAMING_VERSION_V1;
}
