// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from "./constants.ts";
import { framedWriter, withHeader } from "./frame_header.ts";
import { scanFrame } from "./frame_scan.ts";
import { frameDecode, type FramingError } from "./framing_error.ts";
import { type Frame, FrameSchema } from "./gen/broker_v1_envelope_pb.ts";
import { tryDecodeStrict, writeMessage } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

/** What the front of a buffer holds. */
export type FramedDecode =
  | { readonly kind: "need-more" }
  | { readonly kind: "frame"; readonly frame: Frame; readonly consumed: number }
  | { readonly kind: "error"; readonly error: FramingError };

/**
 * Encodes a frame with its header in one buffer, so that one write sends it (protocol 1.3).
 *
 * @param frame The frame, or just the fields that are not default.
 * @returns Header and body.
 * @throws {FramingError} With kind `FrameTooLarge` when the body exceeds 16 MiB.
 */
export function encodeFramed(frame: MessageInitShape<typeof FrameSchema>): Uint8Array<ArrayBuffer> {
  const writer = framedWriter(frame.payload?.length);
  writeMessage(writer, FrameSchema, frame);
  return withHeader(writer.finish());
}

/**
 * Puts a header before a body that is encoded already.
 *
 * @param body The encoded frame.
 * @returns Header and body in a new buffer.
 * @throws {FramingError} With kind `FrameTooLarge` when the body exceeds 16 MiB.
 */
export function encodeFramedBody(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  framed.set(body, FRAME_HEADER_BYTES);
  return withHeader(framed);
}

/**
 * Decodes the frame at the front of a buffer, if it is complete (protocol 1.4).
 *
 * @param buffer What arrived so far; it is not kept.
 * @returns The frame and how many bytes it took, "need-more", or what is wrong.
 */
export function tryDecodeFramed(buffer: Uint8Array): FramedDecode {
  const scan = scanFrame(buffer, 0, FRAME_BYTES_MAX);
  if (scan.kind !== "frame") return scan.kind === "error" ? scan : { kind: "need-more" };
  const frame = tryDecodeStrict(FrameSchema, buffer.subarray(scan.bodyStart, scan.end));
  if (frame instanceof WireDecodeError) return { kind: "error", error: frameDecode(frame) };
  return { kind: "frame", frame, consumed: scan.end };
}
