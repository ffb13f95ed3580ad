import type { ConnectBackendRequest } from "../../mod.ts";
import { connectLocalSocket, type LocalStream } from "../../mod.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import {
  CAPABILITY_EARLY_DATA,
  CAPABILITY_HANDLE_PASSING,
  CAPABILITY_HANDOFF_ANNOUNCED,
  CAPABILITY_REPEATABLE,
} from "../../src/wire/constants.ts";
import type { Negotiated } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { decodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { WAIT, within } from "../support/waiting.ts";
import { helloFrame } from "./hostile_frames.ts";
import { type LocalBroker, readExactly } from "./local_pair.ts";

/** A client that adopts by itself, takes early data along and gives the kernel's waits all their time. */
export const PATIENT: Partial<ConnectBackendRequest> = { handoffReadyTimeoutMs: WAIT.deadlineMs };

/** The Hello of a client that announces a first request. */
export function earlyHello(isRepeatable: boolean): Uint8Array<ArrayBuffer> {
  const adopts = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED | CAPABILITY_EARLY_DATA;
  return helloFrame({ clientCapabilities: isRepeatable ? adopts | CAPABILITY_REPEATABLE : adopts });
}

/** Has the broker open its channel, which one client's first request asks it for. */
export async function warmUp(broker: LocalBroker, nth = 1): Promise<void> {
  const first = await broker.connect({ earlyData: { bytes: Uint8Array.of(0x77), repeatable: true } });
  await within("the first answer", readExactly(first.stream, 1));
  first.close();
  await broker.events.nth("handoff-channel", nth);
}

/** A raw client that says Hello with a first request behind it, in one write. */
export async function sendEarly(
  broker: string,
  request: Uint8Array,
  isRepeatable = false,
): Promise<LocalStream> {
  const stream = await connectLocalSocket(broker, WAIT);
  await stream.write(concatBytes(earlyHello(isRepeatable), request));
  return stream;
}

/** Reads the broker's reply. */
export async function readNegotiated(stream: LocalStream): Promise<Negotiated> {
  const reply = decodeHelloReply(await within("the reply", readFrame(stream)));
  if (reply.kind !== "negotiated") throw new Error(`The reply was "${reply.kind}"`);
  return reply.negotiated;
}

/** Reads the broker's reply and the ready event behind it. */
export async function readReady(stream: LocalStream): Promise<void> {
  const { handlePassedToken } = await readNegotiated(stream);
  const ready = decodeHandoffReady(await within("the ready event", readFrame(stream)), handlePassedToken);
  if (!ready.ok) throw new Error(ready.detail);
}
