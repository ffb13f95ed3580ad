import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { jsonFloatText } from "../../../src/broker/admin/json_float.ts";

test("jsonFloatText() writes what the reference's JSON library writes", () => {
  // Left: measured with serde_json 1.0.154; 1.0.128 leaves the plus sign out.
  const written: [string, number][] = [
    ["0.0", 0],
    ["-0.0", -0],
    ["1.0", 1],
    ["1.5", 1.5],
    ["-0.75", -0.75],
    ["123456.789", 123456.789],
    ["1234567890123456.8", 1234567890123456.8],
    ["1000000000000000.0", 1e15],
    ["9007199254740992.0", 2 ** 53],
    ["1e+16", 1e16],
    ["1.2345678901234568e+17", 123456789012345680],
    ["1e+21", 1e21],
    ["1.7976931348623157e+308", Number.MAX_VALUE],
    ["0.0001", 1e-4],
    ["0.00001", 1e-5],
    ["0.0000125", 1.25e-5],
    ["1e-6", 1e-6],
    ["1.5e-6", 1.5e-6],
    ["5e-324", Number.MIN_VALUE],
  ];
  for (const [text, value] of written) assert.equal(jsonFloatText(value), text);
});

test("jsonFloatText() has no form for what is not finite", () => {
  for (const value of [NaN, Infinity, -Infinity]) assert.equal(jsonFloatText(value), "null");
});

test("jsonFloatText() reads back as the same number and never looks whole", () => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
    const text = jsonFloatText(value);
    assert.ok(Object.is(JSON.parse(text), value), text);
    assert.match(text, /[.e]/);
  }));
});
