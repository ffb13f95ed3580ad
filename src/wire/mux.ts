// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FRAMING_VERSION_V1 } from "./constants.ts";
import { tryDecodeFramed } from "./framing.ts";
import type { Frame } from "./gen/broker_v1_envelope_pb.ts";
import type { DaemonProcessSchema } from "./gen/broker_v1_manifest_pb.ts";
import {
  BACKEND_PROBE_PAYLOAD_PROTOCOL,
  isFirstPartyPayloadProtocol,
  payloadProtocolText,
} from "./payload_protocol.ts";
import { answerProbe, encodeProbeIdentity, type ProbeIdentity } from "./probe.ts";

/** What a backend's own older protocol says of a connection's first bytes. */
export type LegacyVerdict = "Legacy" | "NotLegacy" | "NeedMoreBytes";

/** Why a connection has to be closed. */
export type MuxErrorKind =
  | "Framing"
  | "MalformedProbe"
  | "UnexpectedFirstPartyFrame"
  | "UnservedPayloadProtocol";

/** What the front of a connection's buffer is. */
export type MuxPoll =
  | { readonly kind: "NeedMoreBytes" }
  /** Not ours: the backend's own older protocol. Nothing was consumed. */
  | { readonly kind: "Legacy" }
  /** Write `reply`, drop `consumed` bytes, poll again. */
  | { readonly kind: "ProbeAnswered"; readonly reply: Uint8Array<ArrayBuffer>; readonly consumed: number }
  /** Serve `frame`, drop `consumed` bytes, poll again. Kind, version and encoding are the application's. */
  | { readonly kind: "Payload"; readonly frame: Frame; readonly consumed: number }
  /** Close the connection. `detail` is the reference's text. */
  | {
    readonly kind: "Error";
    readonly error: MuxErrorKind;
    readonly detail: string;
    readonly payloadProtocol?: number;
  };

/** What a backend serves at its endpoint. */
export interface BackendEndpointMuxOptions {
  /** Who answers probes. */
  readonly identity: MessageInitShape<typeof DaemonProcessSchema>;
  /** The application's payload protocols. */
  readonly payloadProtocols: readonly number[];
  /** Recognises the backend's own older protocol. Absent: there is none. */
  readonly detectLegacy?: (buffer: Uint8Array) => LegacyVerdict;
}

/** Tells apart what arrives at one backend endpoint (protocol 8.8). */
export interface BackendEndpointMux {
  /**
   * Looks at the front of a connection's buffer.
   *
   * @param buffer Everything that arrived and was not consumed; it is not kept.
   * @returns What to do.
   */
  poll(buffer: Uint8Array): MuxPoll;
}

/**
 * Makes the part of a backend that tells probes, payload frames and an older protocol apart.
 *
 * It holds nothing of a connection: one serves them all.
 *
 * @param options What the backend serves.
 * @returns The mux.
 * @throws {RangeError} When a payload protocol belongs to the broker protocol itself.
 */
export function createBackendEndpointMux(options: BackendEndpointMuxOptions): BackendEndpointMux {
  const served = new Set(options.payloadProtocols);
  for (const id of served) {
    if (isFirstPartyPayloadProtocol(id)) {
      throw new RangeError(`Cannot serve payload protocol "${payloadProtocolText(id)}": it is first-party`);
    }
  }
  const identity = encodeProbeIdentity(options.identity);
  const detectLegacy = options.detectLegacy ?? ((): LegacyVerdict => "NotLegacy");

  return {
    poll(buffer: Uint8Array): MuxPoll {
      if (buffer.length === 0) return { kind: "NeedMoreBytes" };
      const verdict = detectLegacy(buffer);
      if (verdict !== "NotLegacy") return { kind: verdict };
      if (buffer[0] !== FRAMING_VERSION_V1) return { kind: "Legacy" };
      const decoded = tryDecodeFramed(buffer);
      if (decoded.kind === "need-more") return { kind: "NeedMoreBytes" };
      if (decoded.kind === "error") return failed("Framing", decoded.error.detail);
      return dispatch(decoded.frame, decoded.consumed, served, identity);
    },
  };
}

function dispatch(
  frame: Frame,
  consumed: number,
  served: ReadonlySet<number>,
  identity: ProbeIdentity,
): MuxPoll {
  const { payloadProtocol } = frame;
  if (payloadProtocol === BACKEND_PROBE_PAYLOAD_PROTOCOL) {
    const answer = answerProbe(frame, identity);
    if (answer.ok) return { kind: "ProbeAnswered", reply: answer.reply, consumed };
    return failed("MalformedProbe", `malformed BackendHandle probe: ${answer.detail}`, payloadProtocol);
  }
  const id = payloadProtocolText(payloadProtocol);
  if (isFirstPartyPayloadProtocol(payloadProtocol)) {
    const detail = `unexpected first-party frame on backend endpoint (payload_protocol ${id})`;
    return failed("UnexpectedFirstPartyFrame", detail, payloadProtocol);
  }
  if (served.has(payloadProtocol)) return { kind: "Payload", frame, consumed };
  return failed("UnservedPayloadProtocol", `frame for unserved payload protocol ${id}`, payloadProtocol);
}

function failed(error: MuxErrorKind, detail: string, payloadProtocol?: number): MuxPoll {
  return { kind: "Error", error, detail, ...(payloadProtocol === undefined ? {} : { payloadProtocol }) };
}
