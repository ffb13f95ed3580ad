// This module has no I/O.

/** The sum of one suite in one runtime. */
export interface TableRow {
  suite: string;
  runtime: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
}

const COLUMNS = ["suite", "runtime", "passed", "failed", "skipped", "seconds"] as const;

/** The row of something that is one success or one failure. */
export function stepRow(suite: string, runtime: string, isGood: boolean, seconds: number): TableRow {
  return { suite, runtime, passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0, seconds };
}

/** Adds up the rows of the same suite and runtime, in the order they first came. */
export function sumRows(rows: readonly TableRow[]): TableRow[] {
  const sums = new Map<string, TableRow>();
  for (const row of rows) {
    const key = `${row.suite} ${row.runtime}`;
    const sum = sums.get(key) ?? { ...row, passed: 0, failed: 0, skipped: 0, seconds: 0 };
    sum.passed += row.passed;
    sum.failed += row.failed;
    sum.skipped += row.skipped;
    sum.seconds += row.seconds;
    sums.set(key, sum);
  }
  return [...sums.values()];
}

/** Lays rows out in columns: words to the left, numbers to the right. */
export function formatTable(rows: readonly TableRow[]): string {
  const lines = [
    [...COLUMNS],
    ...rows.map((row) =>
      COLUMNS.map((column) => column === "seconds" ? row.seconds.toFixed(1) : String(row[column]))
    ),
  ];
  const widths = COLUMNS.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const layOut = (cell: string, at: number) =>
    at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return lines.map((line) => line.map(layOut).join("  ").trimEnd()).join("\n");
}

/** The last line of every run: what tools read. */
export function formatTotal(rows: readonly TableRow[]): string {
  const total = (key: "passed" | "failed") => rows.reduce((sum, row) => sum + row[key], 0);
  return `${total("passed")} passed, ${total("failed")} failed`;
}
