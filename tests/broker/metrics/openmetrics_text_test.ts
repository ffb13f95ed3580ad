import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  canonicalNumber,
  escapeLabelValue,
  sampleNumber,
} from "../../../src/broker/metrics/openmetrics_text.ts";

test("escapeLabelValue() escapes backslashes, quotes and line ends", () => {
  assert.equal(escapeLabelValue('a\\b"c\nd\re\tf'), 'a\\\\b\\"c\\nd\re\tf');
});

test("canonicalNumber() writes the numbers OpenMetrics lists", () => {
  const written: [number, string][] = [
    [0, "0.0"],
    [1, "1.0"],
    [100, "100.0"],
    [0.001, "0.001"],
    [0.00025, "0.00025"],
    [0.0001, "0.0001"],
    [0.00005, "5e-05"],
    [1.5e-10, "1.5e-10"],
    [100000, "100000.0"],
    [1e6, "1e+06"],
    [1.25e100, "1.25e+100"],
    [-2.5, "-2.5"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
    [NaN, "NaN"],
  ];
  for (const [value, text] of written) assert.equal(canonicalNumber(value), text);
});

test("canonicalNumber() and sampleNumber() read back as the same number, zero without its sign", () => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
    assert.equal(Number(canonicalNumber(value)), value + 0);
    assert.equal(Number(sampleNumber(value)), value + 0);
  }));
});

test("sampleNumber() writes whole numbers without a point", () => {
  assert.deepEqual([0, 3, 0.25, Infinity, -Infinity, NaN].map(sampleNumber), [
    "0",
    "3",
    "0.25",
    "+Inf",
    "-Inf",
    "NaN",
  ]);
});
