import { connectSocket } from "../../src/transport/connect_net.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { NetStream } from "../../src/transport/net_stream.ts";
import { socketFd } from "../../src/transport/socket_fd.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import {
  FrameKind,
  FrameSchema,
  type HandoffAck,
  HandoffAckSchema,
  type HandoffOfferSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import {
  EXTENSION_DIRECT_READY,
  EXTENSION_KEEP_OPEN,
  WARM_EXTENSIONS,
} from "../../src/wire/handoff_extension.ts";
import { HANDOFF_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { native, sendManyFds } from "../ffi/native_fixture.ts";
import { WAIT, within } from "../support/waiting.ts";
import { newToken, offerFrame, type PassablePair, passablePair } from "./raw_control.ts";

/** One connection of a broker's on a handoff endpoint, byte by byte, read as its answers come. */
export interface RawEnd {
  readonly stream: LocalStream;
  /** Sends bytes with any number of descriptors, which stay the caller's. */
  sendWithFds(bytes: Uint8Array, fds: readonly number[]): void;
  /** Sends bytes; a backend that has hung up is one of the outcomes that are looked for. */
  send(bytes: Uint8Array): void;
  /** The next ACK. */
  ack(): Promise<HandoffAck>;
}

/** Dials a handoff endpoint. */
export async function dialRawEnd(handoffEndpoint: string): Promise<RawEnd> {
  const socket = await connectSocket(handoffEndpoint, WAIT);
  const stream = new NetStream(socket);
  return {
    stream,
    sendWithFds(bytes, fds) {
      const sent = sendManyFds(socketFd(socket), bytes, fds);
      if (sent !== bytes.length) throw new Error(`sendmsg took ${sent} of ${bytes.length} bytes`);
    },
    send(bytes) {
      if (!socket.destroyed) native.sockets.sendBytes(socketFd(socket), bytes);
    },
    async ack() {
      const frame = decodeStrict(FrameSchema, await within("an ACK", readFrame(stream)));
      return decodeStrict(HandoffAckSchema, frame.payload);
    },
  };
}

/** A client's connection that is offered. */
export interface RawClient extends PassablePair {
  readonly token: Uint8Array;
  readonly id: bigint;
}

/** A broker's side of a channel, whose every byte is the test's. */
export interface RawChannel {
  readonly passing: RawEnd;
  readonly doorbell: RawEnd;
  readonly channelId: Uint8Array;
  /** A connection to offer, with a token of its own. */
  client(): RawClient;
  /** Sends the descriptor alone. */
  pass(client: RawClient): void;
  /** Sends the offer alone; fields may differ. */
  ring(client: RawClient, fields?: MessageInitShape<typeof HandoffOfferSchema>): void;
  close(): void;
}

let ids = 100n;

/** Opens a channel as a broker does. */
export async function openRawChannel(handoffEndpoint: string): Promise<RawChannel> {
  const passing = await dialRawEnd(handoffEndpoint);
  const first = passablePair();
  const token = newToken();
  passing.sendWithFds(token, [first.passed]);
  passing.send(offerFrame({ token, extensions: EXTENSION_KEEP_OPEN }));
  const { channelId } = await passing.ack();
  first.forget();
  first.client.close();
  const doorbell = await dialRawEnd(handoffEndpoint);
  doorbell.send(ringFrame(channelId));
  const { extensions } = await doorbell.ack();
  if (extensions !== WARM_EXTENSIONS) throw new Error(`The backend honours ${extensions}`);
  return {
    passing,
    doorbell,
    channelId,
    client: () => ({ ...passablePair(), token: newToken(), id: ids++ }),
    pass: ({ token, passed }) => passing.sendWithFds(token, [passed]),
    ring: ({ token, id }, fields) => doorbell.send(warmOffer(token, id, fields)),
    close: () => [passing, doorbell].forEach(({ stream }) => stream.close()),
  };
}

/** The frame that a doorbell begins with. */
export function ringFrame(channelId: Uint8Array): Uint8Array<ArrayBuffer> {
  const ring = { token: new Uint8Array(0), channelId, extensions: WARM_EXTENSIONS };
  return offerFrame({ ...ring, correlationId: 0n, serviceName: "" }, { requestId: 0n });
}

function warmOffer(
  token: Uint8Array,
  id: bigint,
  fields: MessageInitShape<typeof HandoffOfferSchema> = {},
): Uint8Array<ArrayBuffer> {
  const extensions = EXTENSION_DIRECT_READY | EXTENSION_KEEP_OPEN;
  return offerFrame({ token, correlationId: id, extensions, ...fields }, { requestId: id });
}

/** A frame of a size that no offer has. */
export function hugeFrame(): Uint8Array<ArrayBuffer> {
  const envelope = { envelopeVersion: 1, kind: FrameKind.REQUEST, payloadProtocol: HANDOFF_PAYLOAD_PROTOCOL };
  return encodeFramed({ ...envelope, payload: new Uint8Array(200_000) }).subarray(0, FRAME_HEADER_BYTES);
}
