// This module has no I/O.
import {
  FRAME_BYTES_MAX,
  FRAMING_VERSION_V1,
  HELLO_BYTES_MAX,
  PROTOCOL_VERSION,
} from "../../wire/constants.ts";
import { ADMIN_PAYLOAD_PROTOCOL, payloadProtocolText } from "../../wire/payload_protocol.ts";
import { SPAWN_ATTEMPTS_MAX, SPAWN_WINDOW_MS } from "../launch/spawn_coordinator.ts";
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { BUNDLE_FORMAT, REDACTION_NAMES } from "./diagnose_bundle.ts";
import type { SortedJsonObject, SortedJsonValue } from "./sorted_json.ts";

/**
 * Every setting in force, each as `{source, value}` (protocol 6.11). CONFIG and DUMP show the same one.
 *
 * @param snapshot Gives the live values.
 */
export function effectiveConfig(snapshot: AdminSnapshot): SortedJsonObject {
  return {
    broker: group("runtime", {
      accepting_hello: snapshot.acceptingHello,
      broker_instance: snapshot.brokerInstance,
      broker_pid: snapshot.brokerPid,
    }),
    protocol: group("protocol-v1", {
      admin_payload_protocol: payloadProtocolText(ADMIN_PAYLOAD_PROTOCOL),
      envelope_version: PROTOCOL_VERSION,
      framing_version: FRAMING_VERSION_V1,
    }),
    limits: {
      ...group("protocol-v1", { max_frame_bytes: FRAME_BYTES_MAX, max_hello_bytes: HELLO_BYTES_MAX }),
      ...group("runtime", { connections_open: snapshot.connectionsOpen }),
    },
    paths: group(snapshot.serviceDefinitionDir.source, {
      service_definition_dir: snapshot.serviceDefinitionDir.path,
    }),
    spawn_budget: {
      ...group("default", {
        default_attempts_per_window: SPAWN_ATTEMPTS_MAX,
        default_window_ms: SPAWN_WINDOW_MS,
      }),
      ...group("runtime", { active_budget_rows: snapshot.spawnBudgets.length }),
    },
    diagnostics: group("schema-v1", {
      bundle_format: BUNDLE_FORMAT,
      bundle_mode: snapshot.diagnoseBundle.mode,
      redactions: REDACTION_NAMES,
    }),
  };
}

/** Settings that come from the same place. */
function group(source: string, values: Readonly<Record<string, SortedJsonValue>>): SortedJsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { source, value }]));
}
