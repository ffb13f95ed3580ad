// This module has no I/O.
import { AdminReplyKind } from "../../wire/gen/broker_v1_admin_pb.ts";
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { renderSortedJson, type SortedJsonObject } from "./sorted_json.ts";

/** The fields of an AdminReply (protocol 2.2). */
export interface AdminReplyBody {
  /** Format of the body. */
  readonly kind: AdminReplyKind;
  /** Says the same as a media type. */
  readonly contentType: "text/plain" | "application/json" | "application/openmetrics-text";
  /** What the command line exits with. */
  readonly exitCode: number;
  /** What the command line prints as it is. */
  readonly body: string;
}

/** The verbs that answer in JSON, as the command line spells them. */
export type JsonCommand = "status" | "dump" | "list-instances" | "backend-health" | "config" | "diagnose";

/** Layout of the JSON bodies. Frozen for v1: members may be added, none renamed or retyped (protocol 11.1). */
const SCHEMA_VERSION = 1;

/** An answer in words. */
export function textReply(body: string, exitCode = 0): AdminReplyBody {
  return { kind: AdminReplyKind.TEXT, contentType: "text/plain", exitCode, body };
}

/** An answer in JSON, with the members that all of them have. */
export function jsonReply(
  command: JsonCommand,
  snapshot: AdminSnapshot,
  members: SortedJsonObject,
): AdminReplyBody {
  const body = renderSortedJson({
    ...members,
    schema_version: SCHEMA_VERSION,
    command,
    generated_at_unix_ms: snapshot.generatedAtUnixMs,
  });
  return { kind: AdminReplyKind.JSON, contentType: "application/json", exitCode: 0, body };
}
