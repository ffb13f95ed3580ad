import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import fc from "fast-check";
import { JsonFloat } from "../../../src/broker/admin/json_float.ts";
import {
  compareByUtf8,
  renderSortedJson,
  type SortedJsonValue,
} from "../../../src/broker/admin/sorted_json.ts";

/** Any text, characters above U+FFFF and controls included. */
const anyText = fc.string({ unit: "binary", maxLength: 8 });

const { value: anyJson } = fc.letrec<{ value: SortedJsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<SortedJsonValue>(null, true, false),
    fc.integer(),
    fc.double(),
    anyText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyText, tie("value"), { maxKeys: 6 }),
  ),
}));

test("renderSortedJson() reads back as what JSON.stringify() writes", () => {
  fc.assert(fc.property(anyJson, (value) => {
    assert.deepEqual(JSON.parse(renderSortedJson(value)), JSON.parse(JSON.stringify(value)));
  }));
});

/** Written independently: sorts by the bytes themselves. */
function sortedByBytes(value: SortedJsonValue): string {
  if (Array.isArray(value)) return `[${value.map(sortedByBytes)}]`;
  if (typeof value !== "object" || value === null) return renderSortedJson(value);
  const members = Object.entries(value as Record<string, SortedJsonValue>);
  members.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedByBytes(member)}`)}}`;
}

test("renderSortedJson() sorts the members of every object by their bytes", () => {
  fc.assert(fc.property(anyJson, (value) => {
    assert.equal(renderSortedJson(value), sortedByBytes(value));
  }));
  const members = { "\u{1f600}": 1, "\ufffd": 2, b: { z: 3, "": 4, "10": 5, "9": 6 }, a: [] };
  assert.equal(renderSortedJson(members), '{"a":[],"b":{"":4,"10":5,"9":6,"z":3},"\ufffd":2,"\u{1f600}":1}');
});

test("compareByUtf8() agrees with comparing the bytes", () => {
  fc.assert(fc.property(anyText, anyText, (a, b) => {
    assert.equal(Math.sign(compareByUtf8(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }));
});

test("renderSortedJson() escapes what JSON must escape and nothing else", () => {
  assert.equal(
    renderSortedJson('"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028é\u{1f600}'),
    '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007f\u2028é\u{1f600}"',
  );
});

test("renderSortedJson() tells floats from whole numbers and writes whole numbers of any size", () => {
  assert.equal(
    renderSortedJson([0, -0, new JsonFloat(0), 1.5, 2 ** 53, 18446744073709551615n, new JsonFloat(3), NaN]),
    "[0,0,0.0,1.5,9007199254740992.0,18446744073709551615,3.0,null]",
  );
});
