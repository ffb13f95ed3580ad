import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeExtensionMarker,
  encodeExtensionMarker,
  type ExtensionMarker,
  isMarkerOf,
  MARKER_EARLY_DATA,
} from "../../src/wire/extension_marker.ts";

const SOCKET = { device: 25n, inode: 9_007_199_254_740_993n, madeAtUnixMs: 1_795_000_000_123n };
const TEXT = "rpb-ext-v1 1 25 9007199254740993 1795000000123\n";

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const markers: fc.Arbitrary<ExtensionMarker> = fc.tuple(u64, u64, u64, u64).map(
  ([extensions, device, inode, madeAtUnixMs]) => ({ extensions, socket: { device, inode, madeAtUnixMs } }),
);

test("a marker is one line of text, and numbers beyond 2^53 stay exact", () => {
  const marker = { extensions: MARKER_EARLY_DATA, socket: SOCKET };
  assert.equal(encodeExtensionMarker(marker), TEXT);
  assert.deepEqual(decodeExtensionMarker(TEXT), marker);
});

test("every marker is read as it was written", () => {
  fc.assert(fc.property(markers, (marker) => {
    assert.deepEqual(decodeExtensionMarker(encodeExtensionMarker(marker)), marker);
  }));
});

test("a part of a marker, or one with anything added, is none", () => {
  for (let cut = 0; cut < TEXT.length; cut++) {
    assert.equal(decodeExtensionMarker(TEXT.slice(0, cut)), undefined, `cut at ${cut}`);
  }
  for (
    const text of [`${TEXT}\n`, ` ${TEXT}`, TEXT + TEXT, TEXT.replace("v1", "v2"), TEXT.replace("25", "-25")]
  ) {
    assert.equal(decodeExtensionMarker(text), undefined, text);
  }
  assert.equal(decodeExtensionMarker(TEXT.replace("25", "0x19")), undefined);
  assert.equal(decodeExtensionMarker(TEXT.replace("25", "123456789012345678901")), undefined);
});

test("whatever text there is, reading it never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const marker = decodeExtensionMarker(text);
    if (marker !== undefined) assert.equal(typeof marker.extensions, "bigint");
  }));
});

test("a marker is a socket's own only when device, inode and time are the same", () => {
  const marker = { extensions: 1n, socket: SOCKET };
  assert.equal(isMarkerOf(marker, { ...SOCKET }), true);
  for (const part of ["device", "inode", "madeAtUnixMs"] as const) {
    assert.equal(isMarkerOf(marker, { ...SOCKET, [part]: SOCKET[part] + 1n }), false, part);
  }
});
