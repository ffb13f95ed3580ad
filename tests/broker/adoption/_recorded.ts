import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { type BackendRecord, recordOf } from "../../../src/broker/adoption/backend_record.ts";
import { RecordFolder } from "../../../src/broker/adoption/record_folder.ts";
import { RecordedBackends } from "../../../src/broker/adoption/recorded_backends.ts";
import { parseIdentity, renderIdentity } from "../../../src/host/identity_json.ts";
import { processIdentity } from "../../../src/host/process_identity.ts";
import process from "node:process";
import type { DaemonProcess } from "../../../src/wire/gen/broker_v1_manifest_pb.ts";
import { transport } from "../../transport/_transport.ts";
import { backendOf } from "../_backends.ts";
import { hasher, ownBinary, ownIdentity, type ProbedBackend } from "../_probed_backend.ts";

/** What this process was started as, if it were a launched backend. */
export const OWN_COMMAND = { executable: ownBinary, args: ["serve"] };
const own = (await processIdentity(process.pid))!;

/** An identity as it comes back from a file. */
export function written(identity: DaemonProcess): DaemonProcess {
  return parseIdentity(renderIdentity(identity));
}

/** The record of this process at an endpoint of its own. */
export function ownRecord(endpoint: string, fields: Partial<BackendRecord> = {}): BackendRecord {
  const identity = written(ownIdentity(endpoint));
  const backend = backendOf({}, { backendPipe: endpoint, identity, process: own });
  return { ...recordOf(backend, OWN_COMMAND), ...fields };
}

/** The records of a broker beside a backend that answers probes, and what is told of them. */
export function recordsBeside({ dir }: Pick<ProbedBackend, "dir">) {
  const folder = new RecordFolder(dir.join("br.sock"));
  const events: BrokerEvent[] = [];
  const observe = (event: BrokerEvent) => void events.push(event);
  const records = new RecordedBackends({ transport, hasher, folder, observe });
  return { folder, records, events, observe };
}
