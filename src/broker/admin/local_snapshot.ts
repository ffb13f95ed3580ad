// This module has no I/O.
import { type AdminSnapshot, METADATA_ONLY_BUNDLE } from "./admin_snapshot.ts";

/** The instance label of a command line that asked no broker. */
const LOCAL_INSTANCE = "local";

/** What the host says when no broker is asked. */
export type LocalFacts = Pick<
  AdminSnapshot,
  "brokerPid" | "generatedAtUnixMs" | "inodePressure" | "serviceDefinitionDir"
>;

/**
 * The snapshot the command line renders when it is given no endpoint (protocol 6.11, 10.1): a broker that does
 * not serve and has nothing to show.
 *
 * @param facts What the host says; `brokerPid` is the command's own process.
 */
export function localSnapshot(facts: LocalFacts): AdminSnapshot {
  return {
    brokerPid: facts.brokerPid,
    generatedAtUnixMs: facts.generatedAtUnixMs,
    inodePressure: facts.inodePressure,
    serviceDefinitionDir: facts.serviceDefinitionDir,
    brokerInstance: LOCAL_INSTANCE,
    acceptingHello: false,
    uptimeMs: 0,
    connectionsOpen: 0,
    fdUsageRatio: 0,
    fdPressureDemoted: false,
    backends: [],
    spawnBudgets: [],
    recentLifecycleEvents: [],
    diagnoseBundle: METADATA_ONLY_BUNDLE,
  };
}
