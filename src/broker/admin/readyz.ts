// This module has no I/O.
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { type AdminReplyBody, textReply } from "./reply_body.ts";

/** READYZ: whether a Hello would be answered, also as the exit code. */
export function readyzReply({ acceptingHello }: AdminSnapshot): AdminReplyBody {
  return acceptingHello ? textReply("ready\n") : textReply("not ready\n", 1);
}
