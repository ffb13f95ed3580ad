import assert from "node:assert/strict";
import test from "node:test";
import { ByteWriter } from "../../src/wire/byte_writer.ts";
import { toHex } from "../support/golden.ts";

/** What one call writes into a writer that has no room at all. */
function written(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(0);
  write(writer);
  return toHex(writer.finish());
}

test("ByteWriter makes room in every method", () => {
  assert.equal(written((writer) => writer.varint(300)), "ac02");
  assert.equal(written((writer) => writer.varint64((1n << 64n) - 1n)), "ffffffffffffffffff01");
  assert.equal(written((writer) => writer.raw(Uint8Array.of(1, 2))), "0102");
  assert.equal(written((writer) => writer.delimitedText("é")), "02c3a9");
  assert.equal(written((writer) => writer.delimited(() => {})), "00");
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
