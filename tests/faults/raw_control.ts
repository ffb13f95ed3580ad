import { connectSocket } from "../../src/transport/connect_net.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { NetStream } from "../../src/transport/net_stream.ts";
import { adoptSocketFd, socketFd } from "../../src/transport/socket_fd.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import {
  FrameKind,
  type FrameSchema,
  type HandoffAck,
  HandoffAckSchema,
  HandoffOfferSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { HANDOFF_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { decodeStrict, encodeMessage } from "../../src/wire/strict_decode.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { libc, native, sendManyFds } from "../ffi/native_fixture.ts";
import { SERVICE } from "../support/topology.ts";
import { onlyFrame, readToEnd } from "./play_hostile.ts";
import { WAIT, within } from "../support/waiting.ts";

/** A broker's side of a handoff endpoint, byte by byte. */
export interface RawControl {
  /** Sends bytes with any number of descriptors, which stay the caller's. */
  sendWithFds(bytes: Uint8Array, fds: readonly number[]): void;
  send(bytes: Uint8Array): void;
  /** All that the backend answers before it hangs up. */
  answer(): Promise<Uint8Array>;
  /** The ACK that has to be all of that. */
  ack(): Promise<HandoffAck>;
  close(): void;
}

/** Connects as a broker would. */
export async function dialRaw(handoffEndpoint: string): Promise<RawControl> {
  const socket = await connectSocket(handoffEndpoint, WAIT);
  const stream = new NetStream(socket);
  const answer = () => within("the backend's answer", readToEnd(stream));
  return {
    sendWithFds(bytes, fds) {
      const sent = sendManyFds(socketFd(socket), bytes, fds);
      if (sent !== bytes.length) throw new Error(`sendmsg took ${sent} of ${bytes.length} bytes`);
    },
    send(bytes) {
      const sent = native.sockets.sendBytes(socketFd(socket), bytes);
      // A backend that has hung up already is one of the outcomes that are looked for.
      if (sent.kind === "sent" && sent.bytesSent !== bytes.length) throw new Error("A short send");
    },
    answer,
    async ack() {
      const frame = onlyFrame("the ACK", await answer());
      return decodeStrict(HandoffAckSchema, frame.payload);
    },
    close: () => stream.close(),
  };
}

/** A client's connection: one end to pass, the other to talk through. */
export interface PassablePair {
  readonly passed: number;
  readonly client: LocalStream;
  /** Closes our copy of the end that was passed. */
  forget(): void;
}

/** Makes a connection that nobody serves yet. */
export function passablePair(): PassablePair {
  const pair = native.socketPair();
  if (!pair.ok) throw new Error("Cannot make a socket pair");
  const [near, passed] = pair.fds;
  return {
    passed,
    client: new NetStream(adoptSocketFd(near)),
    forget: () => void libc.close(passed),
  };
}

let tokens = 0;

/** A token that was never used in this process. */
export function newToken(): Uint8Array<ArrayBuffer> {
  const token = new Uint8Array(16).fill(0xa5);
  new DataView(token.buffer).setUint32(0, tokens++);
  return token;
}

/** An offer's frame; every field may differ from what it should be. */
export function offerFrame(
  offer: MessageInitShape<typeof HandoffOfferSchema>,
  frame: MessageInitShape<typeof FrameSchema> = {},
): Uint8Array<ArrayBuffer> {
  const payload = encodeMessage(HandoffOfferSchema, { serviceName: SERVICE, correlationId: 7n, ...offer });
  const envelope = { envelopeVersion: 1, kind: FrameKind.REQUEST, requestId: 7n };
  return encodeFramed({ ...envelope, payloadProtocol: HANDOFF_PAYLOAD_PROTOCOL, payload, ...frame });
}
