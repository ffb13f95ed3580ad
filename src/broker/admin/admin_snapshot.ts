// This module has no I/O.
import type { DirectoryChoice } from "../../naming/directories.ts";
import type { SortedJsonObject } from "./sorted_json.ts";

/** A backend's process: `running`, or `stale` when it is no longer the one that was verified. */
export type AdminBackendState = "running" | "stale";

/** A backend as an operator sees it. */
export interface AdminBackend {
  /** The service, as its definition names it. */
  readonly serviceName: string;
  /** The version it was registered or launched for. */
  readonly serviceVersion: string;
  /** The endpoint clients are sent to. */
  readonly backendPipe: string;
  /** Process id, from its verified identity. */
  readonly pid: number;
  /** Whether it still is the process that was verified. */
  readonly state: AdminBackendState;
  /** Milliseconds since the Unix epoch; the reference gives the start time of the backend's identity. */
  readonly lastActiveUnixMs: bigint;
  /** Milliseconds since the Unix epoch, 0 when no Hello was answered with this backend yet. */
  readonly lastHelloUnixMs: bigint;
  /** Why the backend was last given up or could not be reached; `null` when nothing went wrong. */
  readonly lastError: string | null;
}

/** How often a backend may still be launched in the running window (protocol 6.10). */
export interface AdminSpawnBudget {
  /** Instance id: `shared`, `private:{service}` or `explicit:{name}`. */
  readonly brokerInstance: string;
  /** The service to be launched. */
  readonly serviceName: string;
  /** The version to be launched. */
  readonly serviceVersion: string;
  /** Launches in this window, the one in flight included. */
  readonly attemptsUsed: number;
  /** Launches left in this window. */
  readonly remaining: number;
  /** Whether a launch is under way; meanwhile no other starts. */
  readonly inFlight: boolean;
  /** Until the window ends, in milliseconds; `null` while attempts remain. */
  readonly retryAfterMs: number | null;
}

/** How full the inode table of the daemon data's file system is, or why that cannot be told. */
export type AdminInodePressure =
  | { readonly supported: true; readonly inodesTotal: bigint; readonly inodesFree: bigint }
  | { readonly supported: false; readonly detail: string };

/** What became of the diagnose bundle. The reference only describes one and never writes it. */
export interface DiagnoseBundleState {
  /** Whether an archive was written. */
  readonly created: boolean;
  /** `metadata-only` as long as nothing is written. */
  readonly mode: string;
}

/** The state of a bundle that is described and not written. */
export const METADATA_ONLY_BUNDLE: DiagnoseBundleState = { created: false, mode: "metadata-only" };

/** Everything the admin verbs say, as it was at one moment (protocol 6.11). */
export interface AdminSnapshot {
  /** The broker's instance label, for example `shared`. */
  readonly brokerInstance: string;
  /** Whether a Hello would be answered; false while demoted for lack of descriptors. */
  readonly acceptingHello: boolean;
  /** Process id of the broker. */
  readonly brokerPid: number;
  /** Since the broker started, by a monotonic clock. */
  readonly uptimeMs: number;
  /** When the snapshot was taken, in milliseconds since the Unix epoch. */
  readonly generatedAtUnixMs: number;
  /** Client connections the broker serves now. */
  readonly connectionsOpen: number;
  /** Open descriptors divided by their limit, 0 to 1; 0 when not measured, which is what the reference prints. */
  readonly fdUsageRatio: number;
  /** Whether Hellos are refused because descriptors run out (protocol 6.9). */
  readonly fdPressureDemoted: boolean;
  /** Of the file system that holds the daemon data. */
  readonly inodePressure: AdminInodePressure;
  /** Where service definitions are read from, and what decided that. */
  readonly serviceDefinitionDir: DirectoryChoice;
  /** Every registered backend, `stale` ones included. */
  readonly backends: readonly AdminBackend[];
  /** One for each backend whose launches are counted; none where nothing is launched. */
  readonly spawnBudgets: readonly AdminSpawnBudget[];
  /** Oldest first, members named as in the LifecycleEvent message (protocol 2.5). */
  readonly recentLifecycleEvents: readonly SortedJsonObject[];
  /** What DIAGNOSE says of its bundle. */
  readonly diagnoseBundle: DiagnoseBundleState;
}
