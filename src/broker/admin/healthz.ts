// This module has no I/O.
import { type AdminReplyBody, textReply } from "./reply_body.ts";

/** HEALTHZ: whoever answers is alive. */
export function healthzReply(): AdminReplyBody {
  return textReply("ok\n");
}
