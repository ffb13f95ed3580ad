// This module has no I/O.
import type { Measurement } from "./measurement.ts";

const HEADINGS = [
  "case",
  "cores",
  "clients",
  "gap",
  "servers",
  "client",
  "n",
  "p50",
  "p95",
  "p99",
  "per s",
  "of reconnect",
  "of rust",
  "rate/rust",
  "",
];

/** One table of everything, with ratios: microseconds; below 1 is faster, but a rate above 1 is. */
export function formatTable(found: readonly Measurement[]): string {
  const rows = [HEADINGS, ...found.map((one) => rowOf(one, found))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number) => column === 0 || column === 4 || column === 5 || column === 14;
  const pad = (text: string, column: number) =>
    isText(column) ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const lines = rows.map((row) => `| ${row.map(pad).join(" | ")} |`);
  const rule = `|${
    widths.map((width, column) => isText(column) ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`).join(
      "|",
    )
  }|`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function rowOf(one: Measurement, found: readonly Measurement[]): string[] {
  const reconnect = isHandoff(one) ? found.find((other) => isReconnectOf(other, one)) : undefined;
  const rust = found.find((other) => isReferenceOf(other, one));
  const percentiles = ["p50_us", "p95_us", "p99_us"] as const;
  const ratios = reconnect === undefined ? [] : percentiles.map((name) => ratio(one[name], reconnect[name]));
  return [
    one.case,
    String(one.cores),
    String(one.clients),
    one.gap_ms === undefined ? "" : `${one.gap_ms} ms`,
    one.case.startsWith("floor") ? "" : `${one.runtime} ${one.version}`,
    one.client === "own" ? one.runtime : one.client,
    String(one.n),
    ...percentiles.map((name) => shown(one[name])),
    one.per_s === null ? "" : String(one.per_s),
    ratios.join("/"),
    rust === undefined ? "" : ratio(one.p50_us, rust.p50_us),
    rust === undefined ? "" : ratio(one.per_s, rust.per_s),
    noteOf(one),
  ];
}

function isHandoff({ case: name }: Measurement): boolean {
  return name.startsWith("handoff");
}

/** Whether both were measured in turns. */
function isBeside(a: Measurement, b: Measurement): boolean {
  return a.beside === b.beside && a.cores === b.cores && a.clients === b.clients && a.gap_ms === b.gap_ms;
}

function isReconnectOf(other: Measurement, one: Measurement): boolean {
  const counterpart = one.case.endsWith("-end") ? "reconnect-end" : "reconnect";
  return other.case === counterpart && isBeside(other, one) && other.client === one.client;
}

/** The reference has no early data, and its clients end nothing: ours is held against its handoff or reconnect. */
function isReferenceOf(other: Measurement, one: Measurement): boolean {
  const counterpart = one.case.startsWith("handoff")
    ? "handoff"
    : one.case === "reconnect-end"
    ? "reconnect"
    : one.case;
  const isSameStep = one.case !== "memory" || other.n === one.n;
  const isFloor = one.runtime === "c";
  return !isFloor && one.peer === "ours" && other.peer === "rust" && other.case === counterpart &&
    isBeside(other, one) &&
    isSameStep;
}

function noteOf({ rss_kib, fds, fallbacks }: Measurement): string {
  return [
    rss_kib === undefined ? "" : `${(rss_kib / 1024).toFixed(1)} MiB`,
    fds === undefined ? "" : `${fds} fds`,
    fallbacks === undefined ? "" : `${fallbacks} fell back`,
  ].filter((part) => part !== "").join(", ");
}

function ratio(a: number | null, b: number | null): string {
  return a === null || b === null || b === 0 ? "" : (a / b).toFixed(2);
}

function shown(us: number | null): string {
  if (us === null) return "";
  return us >= 1_000 ? us.toFixed(0) : us >= 10 ? us.toFixed(1) : us.toFixed(2);
}
