import { answerDoorbell } from "../../src/backend/doorbell.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import type { IncomingControl, PassedConnection } from "../../src/transport/transport.ts";
import { FRAME_HEADER_BYTES, FRAMING_VERSION_V1, HANDOFF_TOKEN_BYTES } from "../../src/wire/constants.ts";
import type { HandoffOffer } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { EXTENSION_DIRECT_READY, EXTENSION_KEEP_OPEN } from "../../src/wire/handoff_extension.ts";
import {
  decodeHandoffOffer,
  encodeHandoffAck,
  encodeHandoffReady,
  type HandoffAckInit,
} from "../../src/wire/handoff_frames.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { WAIT } from "../support/waiting.ts";
import { echo } from "./echo.ts";

/** An offer that came on a warm channel, and what its script can do about it. */
export interface WarmTaken {
  readonly offer: HandoffOffer;
  /** The script's to close or to adopt. */
  readonly connection: PassedConnection;
  readonly passing: IncomingControl;
  readonly doorbell: LocalStream;
  /** Writes the ready event to the client. @returns Whether it left. */
  ready(): boolean;
  /** Answers the broker; fields may differ from what they should be. */
  ack(fields?: HandoffAckInit): Promise<void>;
  /** Serves the connection: echoes, beginning with what came along. */
  serve(): LocalStream;
}

export type WarmScript = (taken: WarmTaken) => void | Promise<void>;

/** A handoff endpoint that opens channels as it should, and treats what is offered on them as told. */
export interface WarmTaker extends AsyncDisposable {
  readonly endpoint: string;
  /** Channels it has opened so far; the last one's ends. */
  readonly channels: readonly { passing: IncomingControl; doorbell: LocalStream }[];
  use(script: WarmScript): void;
}

/** What a backend should do with an offer. */
export const adopting: WarmScript = (taken) => {
  const isReady = taken.ready();
  if (isReady) taken.serve();
  else taken.connection.close();
  return taken.ack(isReady ? {} : { accepted: false });
};

/** Starts one; `script` may be exchanged at any time. */
export async function startWarmTaker(endpoint: string, script: WarmScript = adopting): Promise<WarmTaker> {
  const transport = await loadTransport();
  const kept = new Map<string, IncomingControl>();
  const channels: { passing: IncomingControl; doorbell: LocalStream }[] = [];
  const state = { script };
  const serve = async (control: IncomingControl) => {
    const first = await control.receive(HANDOFF_TOKEN_BYTES, WAIT);
    if (first.kind !== "received") return control.close();
    if (first.connections.length === 0 && first.bytes[0] === FRAMING_VERSION_V1) {
      const take = (channelId: Uint8Array) => kept.get(channelId.join());
      const rung = await answerDoorbell(control, first.bytes, take, WAIT);
      if (!rung.ok) return control.close();
      const channel = { passing: rung.passing, doorbell: control.intoStream() };
      channels.push(channel);
      return await serveChannel(channel, () => state.script);
    }
    const channelId = crypto.getRandomValues(new Uint8Array(16));
    await acceptFirst(control, first.connections[0]!, channelId);
    kept.set(channelId.join(), control);
  };
  const listener = await transport.listenControl(endpoint, {}, (control) => {
    void serve(control).catch(() => control.close());
  });
  return {
    endpoint,
    channels,
    use: (next) => void (state.script = next),
    async [Symbol.asyncDispose]() {
      await listener.close();
      for (const { passing, doorbell } of channels) [passing, doorbell].forEach((end) => end.close());
      for (const control of kept.values()) control.close();
    },
  };
}

/** The first offer of a broker: on a connection of its own, which is kept. */
async function acceptFirst(
  control: IncomingControl,
  connection: PassedConnection,
  channelId: Uint8Array,
): Promise<void> {
  const receive = async (length: number) => {
    const receipt = await control.receive(length, WAIT);
    if (receipt.kind !== "received" || receipt.bytes.length < length) throw new Error("An offer in pieces");
    return receipt.bytes;
  };
  const header = await receive(FRAME_HEADER_BYTES);
  const decoded = decodeHandoffOffer(await receive(new DataView(header.buffer).getUint32(1, true)));
  if (!decoded.ok) throw new Error(decoded.detail);
  const { token, correlationId } = decoded.offer;
  const keeps = { extensions: EXTENSION_KEEP_OPEN, channelId };
  control.sendNow(encodeHandoffAck({ token, correlationId, accepted: true, ...keeps }));
  void echo(connection.adopt());
}

async function serveChannel(
  channel: { passing: IncomingControl; doorbell: LocalStream },
  script: () => WarmScript,
): Promise<void> {
  const { passing, doorbell } = channel;
  for (;;) {
    const decoded = decodeHandoffOffer(await readFrame(doorbell));
    const receipt = passing.receiveNow(HANDOFF_TOKEN_BYTES);
    if (!decoded.ok || receipt?.kind !== "received") throw new Error("An offer out of step");
    await script()(taken(channel, decoded.offer, receipt.connections[0]!));
  }
}

function taken(
  channel: { passing: IncomingControl; doorbell: LocalStream },
  offer: HandoffOffer,
  connection: PassedConnection,
): WarmTaken {
  const { token, correlationId, residue } = offer;
  const extensions = EXTENSION_DIRECT_READY | EXTENSION_KEEP_OPEN;
  return {
    ...channel,
    offer,
    connection,
    ready: () => connection.sendNow(encodeHandoffReady({ token, correlationId, accepted: true })).ok,
    async ack(fields) {
      const right = { token, correlationId, accepted: true, readyRelayed: true, extensions };
      await channel.doorbell.write(encodeHandoffAck({ ...right, ...fields })).catch(() => {});
    },
    serve() {
      const stream = connection.adoptLater(residue);
      void echo(stream);
      return stream;
    },
  };
}
