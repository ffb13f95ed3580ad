// This module has no I/O.
import type { AdminSnapshot } from "./admin_snapshot.ts";
import {
  BUNDLE_FORMAT,
  bundleEntries,
  type BundleEntry,
  REDACTION_NAMES,
  REDACTIONS,
} from "./diagnose_bundle.ts";
import { type AdminReplyBody, jsonReply } from "./reply_body.ts";
import type { SortedJsonObject } from "./sorted_json.ts";

/** Where the bundle goes when the request names no file. */
const DEFAULT_OUTPUT = "bundle.tar.gz";

/** DIAGNOSE: what a diagnose bundle holds, and whether it was written. */
export function diagnoseReply(outputPath: string, snapshot: AdminSnapshot): AdminReplyBody {
  const entries = bundleEntries(snapshot);
  return jsonReply("diagnose", snapshot, {
    bundle: {
      created: snapshot.diagnoseBundle.created,
      entries: entries.map(entryRow),
      format: BUNDLE_FORMAT,
      mode: snapshot.diagnoseBundle.mode,
    },
    files: entries.map((entry) => entry.path),
    output: outputPath === "" ? DEFAULT_OUTPUT : outputPath,
    redaction_policy: REDACTIONS,
    redactions: REDACTION_NAMES,
  });
}

function entryRow({ recordCount, ...entry }: BundleEntry): SortedJsonObject {
  return recordCount === undefined ? entry : { ...entry, record_count: recordCount };
}
