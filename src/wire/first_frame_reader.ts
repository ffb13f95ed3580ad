// This module has no I/O.
import { ByteQueue } from "./byte_queue.ts";
import { FRAME_BYTES_MAX } from "./constants.ts";
import { copyOf } from "./bytes.ts";
import type { FrameDecoderOptions } from "./frame_decoder.ts";
import { scanFrame } from "./frame_scan.ts";
import { type FramePart, type FramingError, unexpectedEof } from "./framing_error.ts";

/** Where the reading of one frame stands. */
export type FirstFrame =
  | { readonly kind: "need-more" }
  /** The frame's body and what came behind it; both are copies. */
  | { readonly kind: "frame"; readonly body: Uint8Array; readonly residue: Uint8Array }
  | { readonly kind: "error"; readonly error: FramingError };

/** Reads exactly one frame from a stream of chunks. */
export interface FirstFrameReader {
  /**
   * Takes the next chunk.
   *
   * @param chunk Any bytes; they are copied.
   * @returns The frame once it is complete, or why there is none.
   * @throws {Error} When the frame is complete already, or was refused.
   */
  push(chunk: Uint8Array): FirstFrame;
  /** What the end of the stream means at this point. */
  endOfStream(): FramingError;
}

/**
 * Makes a reader for one frame.
 *
 * The version is judged at the first byte and the length when the header is complete; memory grows
 * with what arrived, not with what the header announces.
 *
 * @param options Its limits.
 * @returns The reader.
 */
export function createFirstFrameReader(options: FrameDecoderOptions = {}): FirstFrameReader {
  const frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
  const queue = new ByteQueue();
  let missing: FramePart = "framing byte";
  let isDone = false;

  return {
    push(chunk: Uint8Array): FirstFrame {
      if (isDone) throw new Error("Cannot take another chunk: the first frame is complete or refused");
      if (queue.length > 0) queue.append(chunk);
      const bytes = queue.length > 0 ? queue.bytes : chunk;
      const scan = scanFrame(bytes, 0, frameBytesMax);
      if (scan.kind === "need-more") {
        if (queue.length === 0) queue.append(chunk);
        missing = scan.part;
        return { kind: "need-more" };
      }
      isDone = true;
      if (scan.kind === "error") return scan;
      const body = copyOf(bytes, scan.bodyStart, scan.end);
      const residue = copyOf(bytes, scan.end, bytes.length);
      queue.discard(queue.length);
      return { kind: "frame", body, residue };
    },
    endOfStream: () => unexpectedEof(missing),
  };
}
