import type { Runtime } from "../support/runtimes.ts";
import type { Lab } from "./_lab.ts";
import { type Player, type Route, routes, startBackend, startBroker, takeRoute } from "./_parts.ts";

/** Who plays client, broker and backend. */
export interface Cell {
  readonly client: Player;
  readonly broker: Player;
  readonly backend: Player;
}

/** What came of a cell on each route: "ok", or what went wrong. */
export interface CellOutcome extends Cell {
  readonly outcomes: Readonly<Record<Route, string>>;
}

/** Every cell with a part in a runtime: seven, as the eighth is all Rust. */
export function cellsOf(runtime: Runtime): Cell[] {
  const players: readonly Player[] = ["rust", runtime];
  return players.flatMap((backend) =>
    players.flatMap((broker) => players.map((client) => ({ client, broker, backend })))
  ).filter(({ client, broker, backend }) => [client, broker, backend].includes(runtime));
}

/** Tries cells on every route, one after the other, with one process for each backend and each broker. */
export async function tryCells(lab: Lab, cells: readonly Cell[]): Promise<CellOutcome[]> {
  const backends = await startEach(
    cells,
    ({ backend }) => backend,
    ({ backend }) => startBackend(lab, backend),
  );
  const brokers = await startEach(cells, pairOf, ({ broker, backend }) => {
    return startBroker(lab, broker, backends.get(backend)!);
  });
  const tried: CellOutcome[] = [];
  for (const cell of cells) {
    const outcomes: Record<Route, string> = { "hello-skip": "", "reconnect": "", "handoff": "" };
    for (const route of routes) {
      outcomes[route] = await attempt(() => takeRoute(lab, cell.client, brokers.get(pairOf(cell))!, route));
    }
    tried.push({ ...cell, outcomes });
  }
  return tried;
}

function pairOf({ broker, backend }: Cell): string {
  return `${broker} in front of ${backend}`;
}

/** Starts one part for each name, all at once. */
async function startEach<Part>(
  cells: readonly Cell[],
  nameOf: (cell: Cell) => string,
  start: (cell: Cell) => Promise<Part>,
): Promise<Map<string, Part>> {
  const firstOfName = new Map(cells.toReversed().map((cell) => [nameOf(cell), cell]));
  const started = [...firstOfName].map(async (
    [name, cell],
  ): Promise<[string, Part]> => [name, await start(cell)]);
  return new Map(await Promise.all(started));
}

async function attempt(act: () => Promise<void>): Promise<string> {
  try {
    await act();
    return "ok";
  } catch (error) {
    return `FAILED: ${(error as Error).message}`;
  }
}
