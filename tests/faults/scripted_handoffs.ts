import type { MessageInitShape } from "@bufbuild/protobuf";
import { loadTransport } from "../../src/transport/load_transport.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import type { IncomingControl, PassedConnection } from "../../src/transport/transport.ts";
import { decodeHandoffOffer, encodeHandoffAck } from "../../src/wire/handoff_frames.ts";
import { FRAME_HEADER_BYTES, HANDOFF_TOKEN_BYTES, PROTOCOL_VERSION } from "../../src/wire/constants.ts";
import { FrameKind, HandoffAckSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { HANDOFF_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { seededBytes, textBytes } from "./hostile_frames.ts";
import { encodeFramed, encodeFramedBody } from "../../src/wire/framing.ts";
import { WAIT } from "../support/waiting.ts";

/** An offer as it reached a handoff endpoint; everything in it is the script's to close. */
export interface TakenOffer {
  readonly control: IncomingControl;
  readonly connection: PassedConnection;
  readonly token: Uint8Array;
  readonly correlationId: bigint;
}

/** What a handoff endpoint does with one connection of a broker. */
export type HandoffScript = (control: IncomingControl) => void | Promise<void>;

/** A handoff endpoint that misbehaves as told. */
export interface ScriptedHandoffs extends AsyncDisposable {
  /** Connections of brokers so far. */
  readonly dials: number;
}

/** Listens as a backend's handoff endpoint; `script` may be exchanged between two connections. */
export async function scriptHandoffs(
  endpoint: string,
  script: () => HandoffScript,
): Promise<ScriptedHandoffs> {
  const transport = await loadTransport();
  let dials = 0;
  const listener = await transport.listenControl(endpoint, {}, (control) => {
    dials++;
    void script()(control);
  });
  return {
    get dials() {
      return dials;
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** Takes descriptor and offer as a backend should. */
export async function takeOffer(control: IncomingControl): Promise<TakenOffer> {
  const connections: PassedConnection[] = [];
  const take = async (length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let seen = 0; seen < length;) {
      const receipt = await control.receive(length - seen, WAIT);
      if (receipt.kind !== "received") throw new Error(`An offer, cut by ${receipt.kind}`);
      bytes.set(receipt.bytes, seen);
      seen += receipt.bytes.length;
      connections.push(...receipt.connections);
    }
    return bytes;
  };
  await take(HANDOFF_TOKEN_BYTES);
  const header = await take(FRAME_HEADER_BYTES);
  const decoded = decodeHandoffOffer(await take(new DataView(header.buffer).getUint32(1, true)));
  const connection = connections[0];
  if (!decoded.ok || connection === undefined) throw new Error("An offer without a descriptor or a frame");
  const { token, correlationId } = decoded.offer;
  return { control, connection, token, correlationId };
}

/** A script that takes the offer, answers with some bytes and gives everything up. */
function answering(answer: (offer: TakenOffer) => Uint8Array): HandoffScript {
  return async (control) => {
    const offer = await takeOffer(control);
    control.sendNow(answer(offer));
    offer.connection.close();
    control.close();
  };
}

/** Ways of a backend to fail a handoff at once, and what the broker has to make of each. */
export const FAILING_SCRIPTS: Readonly<Record<string, { script: HandoffScript; detail: RegExp }>> = {
  "refuses by ACK": {
    script: answering(({ token, correlationId }) =>
      encodeHandoffAck({ token, correlationId, accepted: false, errorDetail: "too busy" })
    ),
    detail: /^backend refused the handoff: too busy$/,
  },
  "echoes another token": {
    script: answering(({ token, correlationId }) =>
      encodeHandoffAck({ token: token.map((byte) => byte ^ 1), correlationId, accepted: true })
    ),
    detail: /^HandoffAck token echo does not match the offered token$/,
  },
  "answers another correlation id": {
    script: answering(({ token, correlationId }) =>
      encodeHandoffAck({ token, correlationId: correlationId + 1n, accepted: true })
    ),
    detail: /^HandoffAck frame request_id \d+ does not match correlation id \d+$/,
  },
  "answers another correlation id inside": {
    script: answering(({ token, correlationId }) => ackFrame(correlationId, { token, correlationId: 99n })),
    detail: /^HandoffAck correlation id 99 does not match offer correlation id \d+$/,
  },
  "refuses and keeps the descriptor": {
    script: async (control) => {
      const { connection, token, correlationId } = await takeOffer(control);
      control.sendNow(encodeHandoffAck({ token, correlationId, accepted: false }));
      control.close();
      // The broker ends the connection for every holder: nothing else would tell the client in time.
      const stream = connection.adopt();
      await stream.read();
      stream.close();
    },
    detail: /^backend refused the handoff: no detail provided$/,
  },
  "hangs up without taking anything": {
    script: (control) => control.close(),
    detail: /^(sendmsg returned E\w+|offer not sent: .*|\[closed\] .*)$/,
  },
  "takes the descriptor and hangs up": {
    script: async (control) => {
      const { connection } = await takeOffer(control);
      control.close();
      connection.close();
    },
    detail: /^\[closed\] unexpected EOF while reading frame \(framing byte\)$/,
  },
  "answers with text": {
    script: answering(() => textBytes("HTTP/1.1 200 OK\r\n\r\n")),
    detail: /^\[protocol\] unsupported framing version: got 72, expected 1$/,
  },
  "answers with a frame of garbage": {
    script: answering(() => encodeFramedBody(Uint8Array.of(0x07, ...seededBytes(1, 64)))),
    detail: /^failed to decode HandoffAck Frame: /,
  },
  "cuts its ACK short": {
    script: answering(({ token, correlationId }) =>
      encodeHandoffAck({ token, correlationId, accepted: true }).subarray(0, 20)
    ),
    detail: /^\[closed\] unexpected EOF while reading frame \(frame body\)$/,
  },
};

/** An accepting ACK whose frame and message need not agree. */
function ackFrame(requestId: bigint, ack: MessageInitShape<typeof HandoffAckSchema>): Uint8Array {
  return encodeFramed({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.RESPONSE,
    payloadProtocol: HANDOFF_PAYLOAD_PROTOCOL,
    requestId,
    payload: encodeMessage(HandoffAckSchema, { accepted: true, ...ack }),
  });
}

/** Accepts as often as told by the number of ACKs, and echoes what the client sends. */
export function accepting(acks: number): HandoffScript {
  return async (control) => {
    const { connection, token, correlationId } = await takeOffer(control);
    for (let i = 0; i < acks; i++) {
      control.sendNow(encodeHandoffAck({ token, correlationId, accepted: true }));
    }
    const stream = connection.adopt();
    control.close();
    await echoOnce(stream);
  };
}

async function echoOnce(stream: LocalStream): Promise<void> {
  try {
    const chunk = await stream.read();
    if (chunk !== null) await stream.write(chunk);
  } finally {
    stream.close();
  }
}
