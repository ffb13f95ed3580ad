import { randomFillSync } from "node:crypto";

/** Bytes drawn at a time: 256 tokens, for what one costs by itself. */
const POOL_BYTES = 4_096;

/** Draws from the operating system's generator in larger pieces; what was given out is not kept. */
export function createRandomPool(): (length: number) => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (length) => {
    if (used + length > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const drawn = pool.slice(used, used + length);
    pool.fill(0, used, used + length);
    used += length;
    return drawn;
  };
}
