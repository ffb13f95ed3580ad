import assert from "node:assert/strict";
import { FramingError } from "../../src/wire/framing_error.ts";
import { fromHex } from "../support/golden.ts";
import { checkVectors } from "./golden_vectors.ts";

interface StreamVector {
  id: string;
  hex: string;
  cap: number;
  stream: { body: string } | { error: string; context: string | null; message: string };
}

/** What a stream reader made of some bytes, in the shape of a vector; `rest` is what it left. */
export type StreamOutcome =
  | { body: string; rest: string }
  | { error: string; context: string | null; message: string };

/** A framing error in the shape of a vector. */
export function streamFailure(error: unknown): StreamOutcome {
  assert.ok(error instanceof FramingError);
  return { error: error.kind, context: error.context ?? null, message: error.detail };
}

/** Checks a reader against every stream vector, whole and byte by byte. */
export function checkStreamVectors(
  reader: string,
  read: (chunks: readonly Uint8Array[], frameBytesMax: number) => Promise<StreamOutcome> | StreamOutcome,
): void {
  checkVectors<StreamVector>("framing_decode", `${reader} agrees with the reference`, async (vector) => {
    const bytes = fromHex(vector.hex);
    const wanted = "body" in vector.stream
      ? { body: vector.stream.body, rest: vector.hex.slice(10 + vector.stream.body.length) }
      : vector.stream;
    const whole = bytes.length === 0 ? [] : [bytes];
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    for (const chunks of [whole, single]) assert.deepEqual(await read(chunks, vector.cap), wanted);
  });
}
