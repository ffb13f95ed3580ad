import { concatBytes } from "../../src/wire/bytes.ts";
import type { ByteSource } from "../../src/wire/read_frame.ts";

/** A source that has all its chunks from the start, then ends or fails. */
export class ChunkSource implements ByteSource {
  #chunks: Uint8Array[];
  readonly #failure: unknown;

  constructor(chunks: readonly Uint8Array[], failure?: unknown) {
    this.#chunks = [...chunks];
    this.#failure = failure;
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    return this.#failure === undefined ? Promise.resolve(null) : Promise.reject(this.#failure);
  }

  unread(bytes: Uint8Array): void {
    this.#chunks.unshift(bytes);
  }

  /** What was not consumed. */
  rest(): Uint8Array {
    return concatBytes(...this.#chunks);
  }
}

/** The bytes in pieces that end at the given places. */
export function chunksOf(bytes: Uint8Array, ends: readonly number[]): Uint8Array[] {
  const places = [...new Set([...ends, bytes.length].filter((end) => end <= bytes.length))];
  places.sort((a, b) => a - b);
  return places.map((end, i) => bytes.slice(places[i - 1] ?? 0, end));
}
