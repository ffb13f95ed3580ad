// This module has no I/O.
import type { AdminQuestion } from "../broker/admin/admin_reply.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import type { CommandLine } from "./command_line.ts";

/** A question with a verb that is known, which all of the command line's are. */
export type OperatorQuestion = AdminQuestion & { readonly verb: AdminVerb };

/** The service that `backend-health` asks about when it is told none. */
const UNNAMED_SERVICE = "unknown";

/** Where `diagnose` is told to write when it is told nothing. */
const DEFAULT_OUTPUT = "bundle.tar.gz";

/**
 * What an operator's command asks a broker (protocol 10.1). Arguments that a command does not know are ignored.
 *
 * @returns `undefined` when the command is none of an operator's.
 */
export function adminQuestion(line: CommandLine): OperatorQuestion | undefined {
  switch (line.command) {
    case "status":
      return question(AdminVerb.STATUS, { json: line.has("--json") });
    case "dump":
      return question(AdminVerb.DUMP, { json: true });
    case "list-instances":
      return question(AdminVerb.LIST_INSTANCES, { json: true });
    case "healthz":
      return question(AdminVerb.HEALTHZ);
    case "readyz":
      return question(AdminVerb.READYZ);
    case "backend-health":
      return question(AdminVerb.BACKEND_HEALTH, {
        json: true,
        serviceName: line.operand ?? UNNAMED_SERVICE,
      });
    case "config":
      return question(AdminVerb.CONFIG, { json: true });
    case "diagnose":
      return question(AdminVerb.DIAGNOSE, {
        json: true,
        outputPath: line.value("--output") ?? DEFAULT_OUTPUT,
      });
    case "metrics":
      return question(AdminVerb.METRICS);
    default:
      return undefined;
  }
}

function question(verb: AdminVerb, fields: Partial<Omit<AdminQuestion, "verb">> = {}): OperatorQuestion {
  return { verb, json: false, serviceName: "", outputPath: "", ...fields };
}
