import assert from "node:assert/strict";
import test from "node:test";
import { ByteWriter } from "../../src/wire/byte_writer.ts";
import { toHex } from "../support/golden.ts";

/** What one call writes into a writer that has no room at all, and into one that has enough. */
function written(write: (writer: ByteWriter) => void): string {
  const holder = new ByteWriter();
  const writer = new ByteWriter(0);
  write(writer);
  const hex = toHex(writer.finish());
  holder.finish();
  const roomy = new ByteWriter();
  write(roomy);
  assert.equal(toHex(roomy.finish()), hex);
  return hex;
}

test("ByteWriter makes room in every method", () => {
  assert.equal(written((writer) => writer.varint(300)), "ac02");
  assert.equal(written((writer) => writer.varint64((1n << 64n) - 1n)), "ffffffffffffffffff01");
  assert.equal(written((writer) => writer.raw(Uint8Array.of(1, 2))), "0102");
  assert.equal(written((writer) => writer.delimitedText("é")), "02c3a9");
  assert.equal(written((writer) => writer.endDelimited(writer.beginDelimited())), "00");
});

test("what writers finish is theirs: neither later ones nor those beside them touch it", () => {
  const first = new ByteWriter();
  first.raw(Uint8Array.of(1, 2, 3));
  const beside = new ByteWriter();
  beside.raw(Uint8Array.of(4, 5));
  const one = first.finish();
  const later = new ByteWriter();
  later.raw(Uint8Array.of(6, 7, 8, 9));
  assert.deepEqual([one, beside.finish(), later.finish()].map(toHex), ["010203", "0405", "06070809"]);
  assert.equal(toHex(one), "010203");
  assert.equal(one.buffer.byteLength, 3);
});

test("a writer that outgrows what it began with, or is given up, costs the next one nothing", () => {
  const large = new Uint8Array(100_000).fill(7);
  for (let round = 0; round < 3; round++) {
    const grown = new ByteWriter();
    grown.raw(Uint8Array.of(1));
    grown.raw(large);
    const bytes = grown.finish();
    assert.equal(bytes.length, 100_001);
    assert.deepEqual([bytes[0], bytes[1], bytes.at(-1)], [1, 7, 7]);
    new ByteWriter().raw(large);
    new ByteWriter().varint(5);
    assert.equal(written((writer) => writer.varint(300)), "ac02");
    const next = new ByteWriter();
    next.varint(5);
    assert.equal(next.finish().buffer.byteLength, 1, "not a large buffer again for every small message");
  }
});

test("ByteWriter writes varints up to 2^53 with and without bigint alike", () => {
  for (const value of [0, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 35 - 1, Number.MAX_SAFE_INTEGER]) {
    const wide = written((writer) => writer.varint64(BigInt(value)));
    assert.equal(written((writer) => writer.varint(value)), wide);
    let model = 0n;
    wide.match(/../g)!.forEach((byte, i) => model |= BigInt(parseInt(byte, 16) & 0x7f) << BigInt(7 * i));
    assert.equal(model, BigInt(value));
  }
});
