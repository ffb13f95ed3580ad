// This module has no I/O.
import { ByteQueue } from "./byte_queue.ts";
import { copyOf } from "./bytes.ts";
import { FRAME_BYTES_MAX } from "./constants.ts";
import { scanFrame } from "./frame_scan.ts";
import type { FramingError } from "./framing_error.ts";

/** Limits of a decoder. */
export interface FrameDecoderOptions {
  /**
   * Largest frame body in bytes, inclusive. The default is what v1 allows.
   *
   * @default {16777216}
   */
  readonly frameBytesMax?: number;
}

/** Cuts a stream of chunks into frame bodies. */
export interface FrameDecoder {
  /**
   * Takes the next chunk.
   *
   * @param chunk Any bytes; they are copied.
   * @returns The bodies of all frames that are complete now, in order.
   * @throws {FramingError} When the stream is not frames. Frames that were complete before it are
   * returned first; the call after that throws. The decoder is unusable then: every further call throws
   * the same error.
   */
  push(chunk: Uint8Array): Uint8Array[];
  /** What the next call of `push` would throw, also when nothing more arrives. */
  failure(): FramingError | undefined;
  /** A copy of the bytes behind the last complete frame. */
  residue(): Uint8Array;
}

/**
 * Makes a decoder for a stream of any number of frames.
 *
 * @param options Its limits.
 * @returns The decoder.
 */
export function createFrameDecoder(options: FrameDecoderOptions = {}): FrameDecoder {
  const frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
  const queue = new ByteQueue();
  let failure: FramingError | undefined;

  /** Cuts what it can; returns how many bytes were used. */
  function cut(bytes: Uint8Array, bodies: Uint8Array[]): number {
    let position = 0;
    for (;;) {
      const scan = scanFrame(bytes, position, frameBytesMax);
      if (scan.kind === "need-more") return position;
      if (scan.kind === "error") {
        failure = scan.error;
        // Where the stream was cut into chunks must not decide which frames are delivered.
        if (bodies.length === 0) throw failure;
        return position;
      }
      bodies.push(copyOf(bytes, scan.bodyStart, scan.end));
      position = scan.end;
    }
  }

  return {
    push(chunk: Uint8Array): Uint8Array[] {
      if (failure !== undefined) throw failure;
      const bodies: Uint8Array[] = [];
      if (queue.length > 0) {
        queue.append(chunk);
        queue.discard(cut(queue.bytes, bodies));
      } else {
        // Most chunks hold whole frames: they are copied once, not twice.
        const used = cut(chunk, bodies);
        if (used < chunk.length) queue.append(chunk.subarray(used));
      }
      return bodies;
    },
    failure: () => failure,
    residue: () => copyOf(queue.bytes, 0, queue.length),
  };
}
