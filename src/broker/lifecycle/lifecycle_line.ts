// This module has no I/O.
import { EventKind, type LifecycleEvent } from "../../wire/gen/broker_v1_manifest_pb.ts";
import { renderSortedJson, type SortedJsonObject, type SortedJsonValue } from "../admin/sorted_json.ts";

/** Bytes of a line with its end: an append of so many is never torn apart by another one (protocol 2.5). */
export const LIFECYCLE_LINE_BYTES_MAX = 512;

/** What stands at the end of a text that was cut. */
const CUT = "…";

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(EventKind).map(([name, number]) => [number, name]),
);

const encoder = new TextEncoder();

/** An event with the names of the LifecycleEvent message; what is empty or 0 is left out, as protobuf does. */
export function lifecycleJson(event: LifecycleEvent): SortedJsonObject {
  const members: Record<string, SortedJsonValue> = {
    ts_ms: event.tsMs,
    pid: event.pid,
    service_name: event.serviceName,
    kind: KIND_NAMES.get(event.kind) ?? event.kind,
    reason: event.reason,
    extra: event.extra,
    severity_number: event.severityNumber,
    severity_text: event.severityText,
    request_id: event.requestId,
    connection_id: event.connectionId,
    broker_instance: event.brokerInstance,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isDefault(value)));
}

function isDefault(value: SortedJsonValue): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === "" || value === 0 || value === 0n;
}

/** The event with a reason that is short enough for its line. */
export function fitLifecycleEvent(event: LifecycleEvent): LifecycleEvent {
  const spareBytes = (reason: string) => LIFECYCLE_LINE_BYTES_MAX - lineBytes({ ...event, reason });
  if (spareBytes(event.reason) >= 0) return event;
  const characters = [...event.reason];
  // The longest front that fits, by halving: each character adds at least one byte.
  let [fits, tooLong] = [0, characters.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (spareBytes(characters.slice(0, middle).join("") + CUT) >= 0) fits = middle;
    else tooLong = middle;
  }
  return { ...event, reason: characters.slice(0, fits).join("") + CUT };
}

/** One line of the log, with its end. The event has to fit; see {@linkcode fitLifecycleEvent}. */
export function lifecycleLine(event: LifecycleEvent): Uint8Array {
  return encoder.encode(`${renderSortedJson(lifecycleJson(event))}\n`);
}

function lineBytes(event: LifecycleEvent): number {
  return lifecycleLine(event).length;
}
