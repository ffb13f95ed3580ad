// This module has no I/O.
import { AdminReplyKind } from "../../wire/gen/broker_v1_admin_pb.ts";
import type { AdminReplyBody } from "./reply_body.ts";

/** METRICS: what the metrics room rendered (protocol 6.12). */
export function metricsReply(metricsText: string): AdminReplyBody {
  return {
    kind: AdminReplyKind.OPENMETRICS,
    contentType: "application/openmetrics-text",
    exitCode: 0,
    body: metricsText,
  };
}
