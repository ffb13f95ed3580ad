// This module has no I/O.
import { ByteWriter } from "./byte_writer.ts";
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAMING_VERSION_V1 } from "./constants.ts";
import { frameTooLarge } from "./framing_error.ts";

// The header's place is kept by these until the body's length is known.
const NO_HEADER = new Uint8Array(FRAME_HEADER_BYTES);
// The fields of a frame besides its payload rarely need more.
const ENVELOPE_BYTES = 192;

/** A writer for a frame's body, behind the place of its header. */
export function framedWriter(payloadBytes = 0): ByteWriter {
  const writer = new ByteWriter(ENVELOPE_BYTES + payloadBytes);
  writer.raw(NO_HEADER);
  return writer;
}

/**
 * Fills the header in, in place (protocol 1.3).
 *
 * @throws {FramingError} With kind `FrameTooLarge` when the body exceeds 16 MiB.
 */
export function withHeader(framed: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bodyBytes = framed.length - FRAME_HEADER_BYTES;
  if (bodyBytes > FRAME_BYTES_MAX) throw frameTooLarge(bodyBytes, FRAME_BYTES_MAX);
  framed[0] = FRAMING_VERSION_V1;
  for (let i = 0; i < 4; i++) framed[1 + i] = bodyBytes >>> (8 * i) & 0xff;
  return framed;
}
