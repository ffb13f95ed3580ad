// This module has no I/O.
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { type AdminReplyBody, jsonReply } from "./reply_body.ts";

/** LIST_INSTANCES: the one broker that answers. The reference leaves `pipe` empty. */
export function listInstancesReply(snapshot: AdminSnapshot): AdminReplyBody {
  return jsonReply("list-instances", snapshot, {
    instances: [{
      broker_instance: snapshot.brokerInstance,
      pid: snapshot.brokerPid,
      pipe: "",
      state: snapshot.acceptingHello ? "running" : "not-serving",
    }],
  });
}
