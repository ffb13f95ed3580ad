// This module has no I/O.

/** Milliseconds a launched backend has to serve its endpoint (protocol 6.10). */
export const SPAWN_WAIT_CEILING_MS = 60_000;
/** Milliseconds between two looks at the endpoint; the last one repeats. */
export const SPAWN_BACKOFF_MS: readonly number[] = [50, 100, 200, 500, 1_000, 2_000];

/** What is known of a launched process. */
export interface SpawnWaitState {
  /** It has proved itself on its endpoint. */
  readonly isEndpointReady: boolean;
  /** It has ended, in whatever way. */
  readonly hasExited: boolean;
  /** Milliseconds since it was started. */
  readonly elapsedMs: number;
  /** Sleeps so far. */
  readonly sleeps: number;
}

/** What to do next about a launched process. */
export type SpawnWaitStep =
  | { readonly kind: "ready" }
  | { readonly kind: "exited" }
  | { readonly kind: "timeout" }
  | { readonly kind: "sleep"; readonly sleepMs: number };

/** Decides in the order of protocol 6.10: ready, exited, too late, sleep. */
export function nextSpawnWaitStep(
  state: SpawnWaitState,
  ceilingMs: number = SPAWN_WAIT_CEILING_MS,
): SpawnWaitStep {
  if (state.isEndpointReady) return { kind: "ready" };
  if (state.hasExited) return { kind: "exited" };
  const remainingMs = ceilingMs - state.elapsedMs;
  if (remainingMs <= 0) return { kind: "timeout" };
  const backoffMs = SPAWN_BACKOFF_MS[Math.min(state.sleeps, SPAWN_BACKOFF_MS.length - 1)]!;
  return { kind: "sleep", sleepMs: Math.min(backoffMs, remainingMs) };
}
