import assert from "node:assert/strict";
import test from "node:test";
import { formatTable, formatTotal, sumRows } from "../../scripts/testing/table.ts";

const row = (suite: string, runtime: string, passed: number, failed: number) => (
  { suite, runtime, passed, failed, skipped: 1, seconds: 0.25 }
);
const rows = [row("wire", "deno", 10, 0), row("wire", "bun", 9, 1), row("wire", "deno", 5, 2)];

test("sumRows() adds up each suite in each runtime", () => {
  assert.deepEqual(sumRows(rows), [
    { suite: "wire", runtime: "deno", passed: 15, failed: 2, skipped: 2, seconds: 0.5 },
    { suite: "wire", runtime: "bun", passed: 9, failed: 1, skipped: 1, seconds: 0.25 },
  ]);
});

test("formatTable() lines its columns up", () => {
  assert.equal(
    formatTable(sumRows(rows)),
    "suite  runtime  passed  failed  skipped  seconds\n" +
      "wire   deno         15       2        2      0.5\n" +
      "wire   bun           9       1        1      0.3",
  );
});

test("formatTotal() is the line that tools read", () => {
  assert.equal(formatTotal(rows), "24 passed, 3 failed");
  assert.equal(formatTotal([]), "0 passed, 0 failed");
});
