import type { AdminBackend, AdminSnapshot } from "../../../src/broker/admin/admin_snapshot.ts";
import { METADATA_ONLY_BUNDLE } from "../../../src/broker/admin/admin_snapshot.ts";
import { loadGolden } from "../../support/golden.ts";

/** A frame of a vector; what it leaves out is a proto3 default. */
export interface GoldenFrame {
  readonly envelope_version: number;
  readonly kind?: number;
  readonly payload?: string;
  readonly payload_encoding?: number;
  readonly payload_protocol: number;
  readonly request_id?: string;
  readonly traceparent?: string;
}

/** A request that is answered. */
export interface GoldenExchange {
  readonly id: string;
  readonly snapshot: string;
  readonly request: {
    readonly verb: number;
    readonly json: boolean;
    readonly service_name: string;
    readonly output_path: string;
  };
  readonly request_frame: GoldenFrame;
  readonly reply: {
    readonly kind: number;
    readonly content_type: string;
    readonly exit_code: number;
    readonly body: string;
  };
  readonly reply_wire: string;
}

/** A frame that holds no request. */
export interface GoldenMalformed {
  readonly id: string;
  readonly request_frame: GoldenFrame;
  readonly error: string;
}

const EXCHANGE_KEYS = "id,reply,reply_wire,request,request_frame,snapshot";
const MALFORMED_KEYS = "error,id,request_frame";

/** The vectors of one version by shape; one of another shape is an error. */
export function loadAdminVectors(
  version: string,
): { exchanges: GoldenExchange[]; malformed: GoldenMalformed[] } {
  const { vectors } = loadGolden<GoldenExchange | GoldenMalformed>(version, "admin");
  const exchanges: GoldenExchange[] = [];
  const malformed: GoldenMalformed[] = [];
  for (const vector of vectors) {
    const keys = Object.keys(vector).sort().join();
    if ("reply" in vector && keys === EXCHANGE_KEYS) exchanges.push(vector);
    else if ("error" in vector && keys === MALFORMED_KEYS) malformed.push(vector);
    else throw new Error(`Vector "${vector.id}" has an unknown shape: ${keys}`);
  }
  return { exchanges, malformed };
}

const SNAPSHOT_BASE: AdminSnapshot = {
  brokerInstance: "shared",
  acceptingHello: false,
  brokerPid: 4242,
  uptimeMs: 1500,
  generatedAtUnixMs: 1_700_000_000_000,
  connectionsOpen: 3,
  fdUsageRatio: 0,
  fdPressureDemoted: false,
  inodePressure: { supported: false, detail: "not measured" },
  serviceDefinitionDir: { path: "/home/u/.config/running-process/services", source: "platform-default" },
  backends: [],
  spawnBudgets: [],
  recentLifecycleEvents: [],
  diagnoseBundle: METADATA_ONLY_BUNDLE,
};

/** The only values of `empty` that the vectors do not tell unless they hold its STATUS in JSON. */
function emptySnapshot(exchanges: readonly GoldenExchange[]): AdminSnapshot {
  const status = exchanges.find(({ snapshot, request }) =>
    snapshot === "empty" && request.verb === 1 && request.json
  );
  if (status === undefined) return SNAPSHOT_BASE;
  const said = JSON.parse(status.reply.body);
  const { supported, inodes_total, inodes_free, detail } = said.inode_pressure;
  return {
    ...SNAPSHOT_BASE,
    uptimeMs: said.uptime_seconds * 1000,
    fdPressureDemoted: said.fd_pressure.demoted,
    inodePressure: supported
      ? { supported, inodesTotal: BigInt(inodes_total), inodesFree: BigInt(inodes_free) }
      : { supported, detail },
  };
}

/** One of the generator's backends, changed where it matters. */
export function goldenBackend(changes: Partial<AdminBackend> = {}): AdminBackend {
  return {
    serviceName: "zccache",
    serviceVersion: "1.2.3",
    backendPipe: "/tmp/be.sock",
    pid: 42,
    state: "running",
    lastActiveUnixMs: 5n,
    lastHelloUnixMs: 6n,
    lastError: null,
    ...changes,
  };
}

/** The generator's snapshot with something in every list. */
export const RICH_SNAPSHOT: AdminSnapshot = {
  ...SNAPSHOT_BASE,
  acceptingHello: true,
  fdPressureDemoted: true,
  inodePressure: { supported: true, inodesTotal: 100n, inodesFree: 25n },
  backends: [goldenBackend(), goldenBackend({ serviceName: "soldr", state: "stale" })],
  spawnBudgets: [{
    brokerInstance: "shared",
    serviceName: "zccache",
    serviceVersion: "1.2.3",
    attemptsUsed: 1,
    remaining: 2,
    inFlight: true,
    retryAfterMs: 9,
  }],
};

/** The snapshot a vector was made from. */
export function goldenSnapshot(name: string, exchanges: readonly GoldenExchange[]): AdminSnapshot {
  if (name === "empty") return emptySnapshot(exchanges);
  if (name === "rich") return RICH_SNAPSHOT;
  throw new Error(`No snapshot is called "${name}"`);
}
