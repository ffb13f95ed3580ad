// This module has no I/O.
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { effectiveConfig } from "./effective_config.ts";
import { type AdminReplyBody, jsonReply } from "./reply_body.ts";

/** CONFIG: every setting in force and where it comes from. */
export function configReply(snapshot: AdminSnapshot): AdminReplyBody {
  return jsonReply("config", snapshot, { values: effectiveConfig(snapshot) });
}
