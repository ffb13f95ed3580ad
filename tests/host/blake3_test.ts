import assert from "node:assert/strict";
import test from "node:test";
import { blake3 as libraryBlake3 } from "@noble/hashes/blake3.js";
import fc from "fast-check";
import { Blake3 } from "../../src/host/blake3.ts";
import { toHex } from "../support/golden.ts";

/** Input whose blocks and chunks all differ. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index % 251) ^ (index >> 10));
}

test("Blake3 hashes nothing as the reference does", () => {
  const empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
  assert.equal(toHex(new Blake3().digest()), empty);
});

test("Blake3 equals the library around every boundary of blocks, chunks and subtrees", () => {
  const boundaries = [0, 64, 128, 960, 1024, 2048, 3072, 4096, 5120, 7168, 8192, 16384, 31744, 32768, 102400];
  for (const boundary of boundaries) {
    for (const length of [boundary - 1, boundary, boundary + 1]) {
      if (length < 0) continue;
      const input = pattern(length);
      assert.equal(
        toHex(new Blake3().update(input).digest()),
        toHex(libraryBlake3(input)),
        `${length} bytes`,
      );
    }
  }
});

test("Blake3 does not depend on how the input is cut", () => {
  const cuts = fc.array(fc.nat(3000), { maxLength: 12 });
  fc.assert(
    fc.property(cuts, fc.nat(255), (lengths, seed) => {
      const input = pattern(lengths.reduce((sum, length) => sum + length, 0)).map((byte) => byte ^ seed);
      const hash = new Blake3();
      let offset = 0;
      for (const length of lengths) {
        const piece = input.slice(offset, offset + length);
        hash.update(piece);
        piece.fill(0xff);
        offset += length;
      }
      assert.equal(toHex(hash.digest()), toHex(libraryBlake3(input)));
    }),
    { numRuns: 60 },
  );
});
