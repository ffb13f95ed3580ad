import assert from "node:assert/strict";
import { test } from "node:test";
import { type MeasurementKey, summarize } from "../../bench/measurement.ts";
import { formatTable } from "../../bench/table.ts";

const own: MeasurementKey = {
  case: "reconnect",
  runtime: "bun",
  version: "1.4.5",
  peer: "ours",
  client: "own",
  cores: 1,
  clients: 8,
  beside: "bun",
};
const rust: MeasurementKey = { ...own, runtime: "rust", version: "4.5.7", peer: "rust", client: "rust" };

function measured(key: MeasurementKey, us: number) {
  return summarize(key, new Float64Array(100).fill(us), 100 * us, 0);
}

/** Rows by their cells. */
function cellsOf(table: string): string[][] {
  return table.split("\n").map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

test("a measurement is a line of the agreed fields in the agreed order", () => {
  const line = summarize({ ...own, gap_ms: 1 }, Float64Array.from([1, 2, 3, 4]), 10, 2);
  assert.equal(
    JSON.stringify(line),
    '{"case":"reconnect","runtime":"bun","peer":"ours","cores":1,"clients":8,"client":"own","version":"1.4.5",' +
      '"beside":"bun","n":4,"p50_us":2,"p95_us":4,"p99_us":4,"per_s":400000,"gap_ms":1,"fallbacks":2}',
  );
});

test("the table holds a handoff against the reconnect of the same client and the reference's handoff", () => {
  const table = formatTable([
    // What is not to be taken comes first: the first match counts.
    measured({ ...own, client: "c" }, 50),
    measured({ ...own, clients: 1 }, 10),
    measured({ ...own, cores: 2 }, 10),
    measured({ ...own, gap_ms: 1 }, 10),
    measured({ ...rust, case: "handoff", beside: "deno" }, 1),
    measured(rust, 1),
    measured(own, 100),
    measured({ ...own, case: "handoff-early" }, 75),
    measured({ ...rust, case: "handoff" }, 150),
  ]);
  const early = cellsOf(table).find(([name]) => name === "handoff-early");
  assert.deepEqual(early?.slice(-4), ["0.75/0.75/0.75", "0.50", "2.00", ""]);
});

test("the table leaves a ratio out where there is nothing to compare with", () => {
  const rows = cellsOf(formatTable([
    measured({ ...own, case: "floor-connect", runtime: "c", client: "c" }, 5),
    measured({ ...rust, case: "floor-connect" }, 5),
    measured({ ...own, case: "handoff", gap_ms: 1 }, 75),
    measured(own, 100),
  ]));
  for (const row of rows.slice(2)) assert.deepEqual(row.slice(-4), ["", "", "", ""]);
});
