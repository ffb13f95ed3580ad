// This module has no I/O.
import { LIBRARY_VERSION } from "../version.ts";
import { PROTOCOL_VERSION } from "../wire/constants.ts";
import { envelopeText, validateEnvelope } from "../wire/envelope.ts";
import { errorCodeName, knownErrorCode } from "../wire/error_code.ts";
import { encodeFramedMessage } from "../wire/framed_message.ts";
import { FrameKind, FrameSchema, HelloReplySchema, HelloSchema } from "../wire/gen/broker_v1_envelope_pb.ts";
import { CONTROL_PAYLOAD_PROTOCOL } from "../wire/payload_protocol.ts";
import { embedMessage, tryDecodeStrict } from "../wire/strict_decode.ts";
import { WireDecodeError } from "../wire/wire_decode_error.ts";
import { capabilitiesText } from "./capabilities_text.ts";

/** How long a broker may take to answer the doctor. */
export const PROBE_DEADLINE_MS = 2_000;

/** A service that nobody defines: a broker refuses it, which is as good a sign of life as any. */
const PROBE_SERVICE = "rp-doctor-probe";

/**
 * The Hello the doctor sends wherever it connects (protocol 10.2): some brokers take a connection that hangs up
 * without one for a failure of their own.
 *
 * @param pid The doctor's own process id.
 * @returns One buffer to write.
 */
export function encodeProbeHello(pid: number): Uint8Array<ArrayBuffer> {
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.REQUEST,
    payloadProtocol: CONTROL_PAYLOAD_PROTOCOL,
    requestId: 1n,
    payload: embedMessage(HelloSchema, {
      clientMinProtocol: PROTOCOL_VERSION,
      clientMaxProtocol: PROTOCOL_VERSION,
      serviceName: PROBE_SERVICE,
      wantedVersion: "0.0.0",
      clientVersion: LIBRARY_VERSION,
      requestId: "doctor-probe",
      peerPid: pid,
      clientLibName: "running-process-doctor",
      clientLibVersion: LIBRARY_VERSION,
    }),
  });
}

/** What an answer says of whoever gave it. */
export interface ProbeReply {
  /** Whether it is a broker's answer. */
  readonly isBroker: boolean;
  /** What it says, or what is wrong with it. */
  readonly detail: string;
}

/** Reads the answer to {@linkcode encodeProbeHello}. */
export function readProbeReply(body: Uint8Array): ProbeReply {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) return notABroker(frame.detail);
  const expected = { kind: FrameKind.RESPONSE, payloadProtocol: CONTROL_PAYLOAD_PROTOCOL };
  const problem = validateEnvelope(frame, expected);
  if (problem !== undefined) return notABroker(envelopeText(problem, "control-plane"));
  const reply = tryDecodeStrict(HelloReplySchema, frame.payload);
  if (reply instanceof WireDecodeError) return notABroker(reply.detail);
  switch (reply.result.case) {
    case "negotiated": {
      const { daemonVersion, negotiatedProtocol, serverCapabilities } = reply.result.value;
      const offers = `protocol v${negotiatedProtocol}, capabilities ${capabilitiesText(serverCapabilities)}`;
      return { isBroker: true, detail: `daemon ${daemonVersion}, ${offers}` };
    }
    case "refused": {
      const { daemonMinProtocol: min, daemonMaxProtocol: max, code } = reply.result.value;
      const refused = `the probe was refused with ${errorCodeName(knownErrorCode(code))}, as it should be`;
      return { isBroker: true, detail: `protocol v${min}..v${max}, ${refused}` };
    }
    default:
      return notABroker("the HelloReply has no result");
  }
}

function notABroker(seen: string): ProbeReply {
  return { isBroker: false, detail: seen };
}
