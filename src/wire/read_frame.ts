// This module has no I/O.
import type { CancelSignal } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import { FRAME_BYTES_MAX } from "./constants.ts";
import { createFirstFrameReader } from "./first_frame_reader.ts";
import { framingIo } from "./framing_error.ts";

/** Something that bytes come from, and can be given back to. */
export interface ByteSource {
  /**
   * Waits for the next bytes.
   *
   * @param signal Ends the wait; the promise then rejects with its reason.
   * @returns At least one byte, or null at the end of the stream.
   */
  read(signal?: CancelSignal): Promise<Uint8Array | null>;
  /** Puts bytes back, to be read before anything else. */
  unread(bytes: Uint8Array): void;
}

/** Limits of reading one frame. */
export interface ReadFrameOptions {
  /**
   * Largest frame body in bytes, inclusive. The default is what v1 allows.
   *
   * @default {16777216}
   */
  readonly frameBytesMax?: number;
  /** Ends the wait for more bytes. */
  readonly signal?: CancelSignal;
}

/**
 * Reads one frame and consumes not one byte beyond it: what came behind is given back (protocol 1.2).
 *
 * The wait is bounded by `signal` only.
 *
 * @param source Where the bytes come from.
 * @param options Limits.
 * @returns The frame's body, not decoded, in memory of its own.
 * @throws {FramingError} When the bytes are no frame, or the stream ends or fails before one is complete.
 */
export async function readFrame(source: ByteSource, options: ReadFrameOptions = {}): Promise<Uint8Array> {
  const { signal, frameBytesMax = FRAME_BYTES_MAX } = options;
  const reader = createFirstFrameReader({ frameBytesMax });
  for (;;) {
    signal?.throwIfAborted();
    let chunk: Uint8Array | null;
    try {
      chunk = await source.read(signal);
    } catch (error) {
      // A deadline, and an error that is typed already, say more than "I/O error".
      if (signal?.aborted || BrokerError.is(error)) throw error;
      throw framingIo(error);
    }
    if (chunk === null) throw reader.endOfStream();
    const step = reader.push(chunk);
    if (step.kind === "error") throw step.error;
    if (step.kind === "need-more") continue;
    if (step.residue.length > 0) source.unread(step.residue);
    return step.body;
  }
}
