import assert from "node:assert/strict";
import test from "node:test";
import { Lab, labRuntimes } from "./_lab.ts";
import { type Cell, type CellOutcome, cellsOf, tryCells } from "./_matrix.ts";
import { routes } from "./_parts.ts";
import type { PeerVersion } from "./_peer_crate.ts";
import { formatColumns } from "./_table.ts";

const ALL_RUST: Cell = { client: "rust", broker: "rust", backend: "rust" };
const CELLS = 1 + labRuntimes.length * 7;

/** Defines the tests of one version's matrix; the last of them prints the table. */
export function defineMatrixTests(version: PeerVersion): void {
  const tried: CellOutcome[] = [];

  async function tryAll(cells: readonly Cell[]): Promise<void> {
    await using lab = await Lab.open(version);
    const outcomes = await tryCells(lab, cells);
    tried.push(...outcomes);
    const failed = outcomes.filter((cell) => routes.some((route) => cell.outcomes[route] !== "ok"));
    assert.deepEqual(failed, []);
  }

  test(`the reference ${version} takes every route by itself`, () => tryAll([ALL_RUST]));

  for (const runtime of labRuntimes) {
    test(`every mix of the reference ${version} and ${runtime} takes every route`, () =>
      tryAll(cellsOf(runtime)));
  }

  test(`the table of ${version} has every cell`, () => {
    const rows = tried.map(({ client, broker, backend, outcomes }) => [
      client,
      broker,
      backend,
      ...routes.map((route) => outcomes[route].split("\n")[0] ?? ""),
    ]);
    console.log(
      `running-process ${version}\n${formatColumns([["client", "broker", "backend", ...routes], ...rows])}`,
    );
    assert.equal(tried.length, CELLS);
  });
}
