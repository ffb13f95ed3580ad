// This module has no I/O.
import {
  renderSortedJson,
  type SortedJsonObject,
  type SortedJsonValue,
} from "../../broker/admin/sorted_json.ts";
import type { ArchiveFile } from "./archive_file.ts";
import type { Redactor } from "./redactor.ts";

/** What a bundle is made of. */
export interface BundleSources {
  /** A broker's answer to STATUS, in JSON. */
  readonly status: string;
  /** Its answer to DUMP. */
  readonly dump: SortedJsonObject;
  /** Its answer to CONFIG. */
  readonly config: string;
  /** Its answer to METRICS. */
  readonly metrics: string;
  /** The central registry of this host: a row for each manifest, or for what is wrong with it. */
  readonly manifests: readonly SortedJsonValue[];
  /** What brokers on this host have noted; `undefined` when they note nothing, and the broker's own memory is all. */
  readonly events: readonly SortedJsonValue[] | undefined;
  /** This host, as far as it matters. */
  readonly host: SortedJsonObject;
}

/**
 * The files of a bundle (protocol 6.11), redacted.
 *
 * The table of the protocol counts some files among those that need no redaction. Texts in them are redacted as
 * well: a home directory in a path is one wherever it stands.
 */
export function bundleContents(sources: BundleSources, redactor: Redactor): ArchiveFile[] {
  const { dump, manifests } = sources;
  const backends = rows(dump["backend_table"]);
  const events = sources.events ?? rows(dump["recent_lifecycle_events"]);
  const json = (value: SortedJsonValue) => `${renderSortedJson(redactor.json(value))}\n`;
  const line = (body: string) => redactor.text(body.endsWith("\n") ? body : `${body}\n`);
  return [
    { path: "admin/status.json", text: line(sources.status) },
    { path: "admin/dump.json", text: json(dump) },
    { path: "config/effective.json", text: line(sources.config) },
    { path: "metrics/openmetrics.txt", text: line(sources.metrics) },
    { path: "events/lifecycle.jsonl", text: events.map(json).join("") },
    { path: "manifest/backend-manifests.json", text: json({ manifests, record_count: manifests.length }) },
    { path: "process/backends.json", text: json({ backends, record_count: backends.length }) },
    { path: "system/summary.json", text: json(sources.host) },
  ];
}

function rows(value: SortedJsonValue | undefined): readonly SortedJsonValue[] {
  return Array.isArray(value) ? value : [];
}
