// This module has no I/O.
import type { AdminSpawnBudget } from "./admin/admin_snapshot.ts";
import type { BackendSource } from "./backend_source.ts";

/** What differs between the brokers that can be served (protocol 6.1). */
export interface ServeMode {
  /** Where backends come from that are not registered yet. */
  readonly source: BackendSource;
  /** What operators see as the broker's instance. */
  readonly label: string;
  /** How often each backend may still be launched; empty where nothing is launched. */
  readonly spawnBudgets: () => readonly AdminSpawnBudget[];
}
