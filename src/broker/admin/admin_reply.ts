// This module has no I/O.
import { type AdminRequest, AdminVerb } from "../../wire/gen/broker_v1_admin_pb.ts";
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { backendHealthReply } from "./backend_health.ts";
import { configReply } from "./config.ts";
import { diagnoseReply } from "./diagnose.ts";
import { dumpReply } from "./dump.ts";
import { healthzReply } from "./healthz.ts";
import { listInstancesReply } from "./list_instances.ts";
import { metricsReply } from "./metrics.ts";
import { readyzReply } from "./readyz.ts";
import { type AdminReplyBody, textReply } from "./reply_body.ts";
import { statusJsonReply, statusTextReply } from "./status.ts";

/** What an operator asked for. `verb` is an AdminVerb, or a number that nobody knows. */
export type AdminQuestion = Pick<AdminRequest, "json" | "serviceName" | "outputPath"> & {
  readonly verb: number;
};

/** What the command line exits with after a verb that nobody knows. */
const USAGE_EXIT_CODE = 2;

/**
 * Answers an operator's request (protocol 6.11). It never fails: a verb that is not known, SHUTDOWN included,
 * is answered with `unsupported admin verb`.
 *
 * @param request The request; `json` matters for STATUS only.
 * @param snapshot The broker as it is now.
 * @param metricsText The body of METRICS; other verbs do not look at it.
 * @returns The fields of the AdminReply.
 */
export function renderAdminReply(
  request: AdminQuestion,
  snapshot: AdminSnapshot,
  metricsText: string,
): AdminReplyBody {
  switch (request.verb) {
    case AdminVerb.STATUS:
      return request.json ? statusJsonReply(snapshot) : statusTextReply(snapshot);
    case AdminVerb.DUMP:
      return dumpReply(snapshot);
    case AdminVerb.LIST_INSTANCES:
      return listInstancesReply(snapshot);
    case AdminVerb.HEALTHZ:
      return healthzReply();
    case AdminVerb.READYZ:
      return readyzReply(snapshot);
    case AdminVerb.BACKEND_HEALTH:
      return backendHealthReply(request.serviceName, snapshot);
    case AdminVerb.CONFIG:
      return configReply(snapshot);
    case AdminVerb.DIAGNOSE:
      return diagnoseReply(request.outputPath, snapshot);
    case AdminVerb.METRICS:
      return metricsReply(metricsText);
    default:
      return textReply("unsupported admin verb\n", USAGE_EXIT_CODE);
  }
}
