// This module has no I/O.
import { FRAME_HEADER_BYTES, FRAMING_VERSION_V1 } from "./constants.ts";
import {
  type FramePart,
  frameTooLarge,
  type FramingError,
  unsupportedFramingVersion,
} from "./framing_error.ts";

/** What the front of some bytes is. */
export type FrameScan =
  | { readonly kind: "need-more"; readonly part: FramePart }
  | { readonly kind: "frame"; readonly bodyStart: number; readonly end: number }
  | { readonly kind: "error"; readonly error: FramingError };

/**
 * Looks for one frame, judging as early as the bytes allow: the version at the first byte, the
 * length at the fifth (protocol 1.4).
 *
 * @param bytes What arrived so far.
 * @param start Where the frame begins.
 * @param frameBytesMax Largest body, inclusive.
 * @returns Where the frame's body lies, what is still missing, or what is wrong.
 */
export function scanFrame(bytes: Uint8Array, start: number, frameBytesMax: number): FrameScan {
  const version = bytes[start];
  if (version === undefined) return { kind: "need-more", part: "framing byte" };
  if (version !== FRAMING_VERSION_V1) return { kind: "error", error: unsupportedFramingVersion(version) };
  const bodyStart = start + FRAME_HEADER_BYTES;
  if (bytes.length < bodyStart) return { kind: "need-more", part: "body length header" };
  const bodyBytes = (bytes[start + 1]! | bytes[start + 2]! << 8 | bytes[start + 3]! << 16 |
    bytes[start + 4]! << 24) >>> 0;
  if (bodyBytes > frameBytesMax) return { kind: "error", error: frameTooLarge(bodyBytes, frameBytesMax) };
  const end = bodyStart + bodyBytes;
  return bytes.length < end ? { kind: "need-more", part: "frame body" } : { kind: "frame", bodyStart, end };
}
