// This module has no I/O.
import type { AdminSpawnBudget } from "./admin/admin_snapshot.ts";
import type { BackendSource } from "./backend_source.ts";

/** What differs between the brokers that can be served (protocol 6.1). */
export interface ServeMode {
  readonly source: BackendSource;
  /** What operators see as the broker's instance. */
  readonly label: string;
  readonly spawnBudgets: () => readonly AdminSpawnBudget[];
}
