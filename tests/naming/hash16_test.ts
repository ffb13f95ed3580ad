import assert from "node:assert/strict";
import test from "node:test";
import { hash16 } from "../../src/naming/hash16.ts";

test("hash16() is the start of BLAKE3-256 in lower-case hexadecimal", () => {
  assert.equal(hash16(""), "af1349b9f5f9a1a6");
  assert.equal(hash16("1000:abc"), "8f1151d30e2c8ee1");
});

test("hash16() takes text as UTF-8", () => {
  assert.equal(hash16("日本"), "fb52b4c8186476b5");
  assert.equal(hash16(new TextEncoder().encode("日本")), "fb52b4c8186476b5");
});
