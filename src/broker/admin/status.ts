// This module has no I/O.
import type { AdminBackend, AdminInodePressure, AdminSnapshot } from "./admin_snapshot.ts";
import { JsonFloat } from "./json_float.ts";
import { type AdminReplyBody, jsonReply, textReply } from "./reply_body.ts";
import type { SortedJsonObject } from "./sorted_json.ts";

/** STATUS for people: two lines. */
export function statusTextReply({ brokerInstance, acceptingHello }: AdminSnapshot): AdminReplyBody {
  return textReply(`broker_instance: ${brokerInstance}\naccepting_hello: ${acceptingHello}\n`);
}

/** STATUS for programs. */
export function statusJsonReply(snapshot: AdminSnapshot): AdminReplyBody {
  return jsonReply("status", snapshot, {
    accepting_hello: snapshot.acceptingHello,
    backends: snapshot.backends.map(backendRow),
    broker_instance: snapshot.brokerInstance,
    broker_pid: snapshot.brokerPid,
    connections_open: snapshot.connectionsOpen,
    fd_pressure: { demoted: snapshot.fdPressureDemoted },
    inode_pressure: inodePressure(snapshot.inodePressure),
    uptime_seconds: new JsonFloat(snapshot.uptimeMs / 1000),
  });
}

function backendRow(backend: AdminBackend): SortedJsonObject {
  return {
    backend_pipe: backend.backendPipe,
    last_active_unix_ms: backend.lastActiveUnixMs,
    pid: backend.pid,
    service_name: backend.serviceName,
    service_version: backend.serviceVersion,
    state: backend.state,
  };
}

function inodePressure(pressure: AdminInodePressure): SortedJsonObject {
  if (!pressure.supported) return { supported: false, detail: pressure.detail };
  const { inodesTotal, inodesFree } = pressure;
  // A file system that counts while it changes may report more free inodes than it has.
  const inodesUsed = inodesFree < inodesTotal ? inodesTotal - inodesFree : 0n;
  return {
    supported: true,
    inodes_total: inodesTotal,
    inodes_free: inodesFree,
    inodes_used: inodesUsed,
    used_ratio: new JsonFloat(inodesTotal > 0n ? Number(inodesUsed) / Number(inodesTotal) : 0),
  };
}
