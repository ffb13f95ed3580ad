// This module has no I/O.
import type { AdminSnapshot } from "./admin_snapshot.ts";

/** A file of the diagnose bundle. */
export interface BundleEntry {
  /** Format of the content. */
  readonly kind: "json" | "jsonl" | "openmetrics";
  /** Where it is in the archive. */
  readonly path: string;
  /** Whether the redactions apply to its content. */
  readonly redacted: boolean;
  /** Whether a bundle without it is broken. */
  readonly required: boolean;
  /** Where its content comes from. */
  readonly source: string;
  /** How many records it holds, where that is known beforehand. */
  readonly recordCount?: number;
}

/** A rule by which content is made unreadable. */
export type RedactionRule = {
  readonly name: string;
  readonly replacement?: string;
  /** Parts of a variable's name that make its value secret. */
  readonly matches?: readonly string[];
};

/** The archive's format, by its file name ending. */
export const BUNDLE_FORMAT = "tar.gz";

/** The rules of a bundle, in the order they apply (protocol 6.11). */
export const REDACTIONS = [
  { name: "home", replacement: "~" },
  { name: "secret-env", matches: ["KEY", "TOKEN", "SECRET", "PASS"] },
  { name: "acl-identities", replacement: "stable-hash" },
] as const satisfies readonly RedactionRule[];

/** The names of the rules, in the same order. */
export const REDACTION_NAMES: readonly string[] = REDACTIONS.map((rule) => rule.name);

/**
 * The files of a diagnose bundle in the order they are stored.
 *
 * @param snapshot Gives the number of records.
 */
export function bundleEntries(snapshot: AdminSnapshot): BundleEntry[] {
  return [
    entry("json", "admin/status.json", "status", { required: true, redacted: false }),
    entry("json", "admin/dump.json", "dump", { required: true, redacted: true }),
    entry("json", "config/effective.json", "effective-config", { required: true, redacted: false }),
    entry("openmetrics", "metrics/openmetrics.txt", "metrics", { required: true, redacted: false }),
    entry("jsonl", "events/lifecycle.jsonl", "lifecycle-events", { required: false, redacted: true }),
    entry("json", "manifest/backend-manifests.json", "backend-manifest-index", {
      required: false,
      redacted: true,
    }),
    entry("json", "process/backends.json", "backend-table", {
      required: true,
      redacted: true,
      recordCount: snapshot.backends.length,
    }),
    entry("json", "system/summary.json", "host-summary", { required: false, redacted: true }),
  ];
}

function entry(
  kind: BundleEntry["kind"],
  path: string,
  source: string,
  facts: Pick<BundleEntry, "required" | "redacted" | "recordCount">,
): BundleEntry {
  return { kind, path, source, ...facts };
}
