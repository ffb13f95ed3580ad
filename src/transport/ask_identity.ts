import { randomBytes } from "node:crypto";
import { NONCE_BYTES } from "../wire/constants.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import { decodeProbeResponse, encodeProbeRequest, type ProbeResult } from "../wire/probe.ts";
import { readFrame } from "../wire/read_frame.ts";
import type { CancelSignal } from "../cancel_signal.ts";
import type { LocalStream } from "./local_stream.ts";

/** Milliseconds for connecting to a backend and hearing who it is (protocol 8.4). */
export const PROBE_DEADLINE_MS = 500;

/**
 * Asks who serves a connection, with a nonce that no answer was ever made for (protocol 8.4).
 *
 * @param stream A fresh connection; stays the caller's.
 * @param expected Who has to answer; without it the caller judges.
 * @returns Who answered, or why that is not known.
 */
export async function askIdentity(
  stream: LocalStream,
  expected: DaemonProcess | undefined,
  signal: CancelSignal,
): Promise<ProbeResult> {
  const nonce = randomBytes(NONCE_BYTES);
  await stream.write(encodeProbeRequest(nonce));
  return decodeProbeResponse(await readFrame(stream, { signal }), nonce, expected);
}
