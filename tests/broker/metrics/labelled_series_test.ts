import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  LABEL_VALUE_UNITS_MAX,
  LABEL_VALUES_MAX,
  OVERFLOW_LABEL_VALUE,
} from "../../../src/broker/metrics/label_limits.ts";
import { LabelledSeries } from "../../../src/broker/metrics/labelled_series.ts";
import { HELLO_TOTAL } from "../../../src/broker/metrics/metric_family.ts";

function newSeries() {
  return new LabelledSeries(HELLO_TOTAL, () => ({ count: 0 }));
}

function names(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

test("labelledSeries.at() keeps values apart up to their number's limit and puts the rest under other", () => {
  const series = newSeries();
  const services = names(LABEL_VALUES_MAX.service + 3, "service");
  for (const service of services) series.at({ service, version: "1.0.0", outcome: "negotiated" }).count++;
  const listed = series.list();
  assert.equal(listed.length, LABEL_VALUES_MAX.service + 1);
  const other = listed.find(({ values }) => values[0] === OVERFLOW_LABEL_VALUE);
  assert.deepEqual(other, { values: [OVERFLOW_LABEL_VALUE, "1.0.0", "negotiated"], state: { count: 3 } });
});

test("labelledSeries.at() lets versions of one service use up that service's places only", () => {
  const series = newSeries();
  for (const version of names(LABEL_VALUES_MAX.version + 5, "1.0.")) {
    series.at({ service: "noisy", version, outcome: "negotiated" }).count++;
  }
  series.at({ service: "quiet", version: "9.9.9", outcome: "negotiated" }).count++;
  const listed = series.list();
  assert.equal(listed.length, LABEL_VALUES_MAX.version + 2);
  assert.deepEqual(listed.at(-1), { values: ["quiet", "9.9.9", "negotiated"], state: { count: 1 } });
  const other = listed.find(({ values }) => values[1] === OVERFLOW_LABEL_VALUE);
  assert.deepEqual(other, { values: ["noisy", OVERFLOW_LABEL_VALUE, "negotiated"], state: { count: 5 } });
});

test("labelledSeries.at() keeps a value in its place after others overflowed", () => {
  const series = newSeries();
  const at = (outcome: string) => series.at({ service: "s", version: "v", outcome });
  const first = at("outcome0");
  for (const outcome of names(LABEL_VALUES_MAX.outcome + 9, "outcome")) at(outcome);
  assert.equal(at("outcome0"), first);
  assert.equal(at("outcome999"), at("outcome998"));
});

test("labelledSeries.at() spends no place on a service that is called other", () => {
  const series = newSeries();
  for (const service of [OVERFLOW_LABEL_VALUE, ...names(LABEL_VALUES_MAX.service, "service")]) {
    series.at({ service, version: "v", outcome: "o" }).count++;
  }
  assert.equal(series.list().length, LABEL_VALUES_MAX.service + 1);
  assert.ok(series.list().every(({ state }) => state.count === 1));
});

test("labelledSeries.at() puts a value that is too long under other", () => {
  const series = newSeries();
  series.at({ service: "s".repeat(LABEL_VALUE_UNITS_MAX), version: "v", outcome: "o" });
  series.at({ service: "t".repeat(LABEL_VALUE_UNITS_MAX + 1), version: "v", outcome: "o" });
  assert.deepEqual(series.list().map(({ values }) => values[0]), [
    OVERFLOW_LABEL_VALUE,
    "s".repeat(LABEL_VALUE_UNITS_MAX),
  ]);
});

test("labelledSeries.at() does not keep values apart that are the same once encoded", () => {
  const series = newSeries();
  series.at({ service: "\ud800", version: "v", outcome: "o" }).count++;
  series.at({ service: "\udfff", version: "v", outcome: "o" }).count++;
  assert.deepEqual(series.list(), [{ values: ["\ufffd", "v", "o"], state: { count: 2 } }]);
});

test("labelledSeries never has more series than its limits allow, and counts every event once", () => {
  const label = (count: number) => fc.nat(count).map(String);
  const event = fc.record({ service: label(60), version: label(40), outcome: label(40) });
  fc.assert(
    fc.property(fc.array(event, { minLength: 200, maxLength: 2000 }), (events) => {
      const series = newSeries();
      for (const labels of events) series.at(labels).count++;
      const listed = series.list();
      assert.equal(listed.reduce((total, { state }) => total + state.count, 0), events.length);
      assert.equal(new Set(listed.map(({ values }) => JSON.stringify(values))).size, listed.length);
      const services = new Set(listed.map(({ values }) => values[0]));
      assert.ok(services.size <= LABEL_VALUES_MAX.service + 1);
      for (const service of services) {
        const versions = new Set(
          listed.filter(({ values }) => values[0] === service).map(({ values }) => values[1]),
        );
        assert.ok(versions.size <= LABEL_VALUES_MAX.version + 1);
      }
    }),
    { numRuns: 30 },
  );
});

test("labelledSeries.list() is sorted, in whatever order events came", () => {
  const series = newSeries();
  for (const [service, version] of [["b", "2"], ["a", "2"], ["b", "1"], ["a", "1"]] as const) {
    series.at({ service, version, outcome: "o" });
  }
  assert.deepEqual(series.list().map(({ values }) => values.join(" ")), ["a 1 o", "a 2 o", "b 1 o", "b 2 o"]);
});
