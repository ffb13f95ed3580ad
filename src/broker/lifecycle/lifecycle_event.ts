// This module has no I/O.
import { create } from "@bufbuild/protobuf";
import {
  EventKind,
  type LifecycleEvent,
  LifecycleEventSchema,
} from "../../wire/gen/broker_v1_manifest_pb.ts";
import type { BrokerEvent } from "../broker_event.ts";

/** Who writes, and when. */
export interface LifecycleContext {
  /** Milliseconds since the Unix epoch. */
  readonly unixMs: number;
  /** The broker's process. */
  readonly brokerPid: number;
  /** The broker's instance label, for example `shared`. */
  readonly brokerInstance: string;
}

/** Severities by the numbers of OpenTelemetry, which the message's field has. */
const SEVERITY_NUMBERS = { INFO: 9, WARN: 13, ERROR: 17 } as const;

/** What is particular about one event. */
interface Particulars {
  readonly kind: EventKind;
  readonly severity: keyof typeof SEVERITY_NUMBERS;
  readonly reason: string;
  readonly service?: string;
  readonly version?: string;
  /** The backend's process, when there is one. */
  readonly pid?: number;
}

/** What happened as a line of the lifecycle log is about it (protocol 2.5); `undefined` for what is no part of it. */
export function lifecycleEvent(event: BrokerEvent, context: LifecycleContext): LifecycleEvent | undefined {
  const particulars = particularsOf(event);
  return particulars === undefined ? undefined : eventOf(event.kind, particulars, context);
}

/** The last line of a broker. */
export function brokerStopped(context: LifecycleContext): LifecycleEvent {
  const reason = "broker stopped";
  return eventOf("stopped", { kind: EventKind.EVENT_KIND_UNSPECIFIED, severity: "INFO", reason }, context);
}

function eventOf(name: string, particulars: Particulars, context: LifecycleContext): LifecycleEvent {
  const { kind, severity, reason, service = "", version, pid } = particulars;
  const { unixMs, brokerPid, brokerInstance } = context;
  return create(LifecycleEventSchema, {
    tsMs: BigInt(Math.trunc(unixMs)),
    pid: pid ?? brokerPid,
    serviceName: service,
    kind,
    reason,
    extra: {
      event: name,
      ...(version === undefined ? {} : { version }),
      ...(pid === undefined ? {} : { broker_pid: String(brokerPid) }),
    },
    severityNumber: SEVERITY_NUMBERS[severity],
    severityText: severity,
    brokerInstance,
  });
}

function particularsOf(event: BrokerEvent): Particulars | undefined {
  switch (event.kind) {
    case "listening":
      return { kind: EventKind.EVENT_KIND_UNSPECIFIED, severity: "INFO", reason: "broker started" };
    case "backend-launched":
      return { ...event, kind: EventKind.SPAWN, severity: "INFO", reason: "launched" };
    case "backend-launch-failed":
      return { ...event, kind: EventKind.SPAWN_ATTEMPT, severity: "ERROR", reason: event.detail };
    case "backend-adopted":
      return { ...event, kind: EventKind.EVENT_KIND_UNSPECIFIED, severity: "INFO", reason: "adopted" };
    case "backend-lost":
      return {
        ...event,
        kind: EventKind.DIED_CRASH,
        severity: "WARN",
        reason: "ended, and no broker ended it",
      };
    case "backend-idle-ended":
      return {
        ...event,
        kind: EventKind.DIED_IDLE,
        severity: "INFO",
        reason: `no Hello for ${event.idleMs} ms and no connection`,
      };
    case "backend-signalled":
      return {
        ...event,
        kind: EventKind.DIED_IDLE,
        severity: "WARN",
        reason: `${event.signal}, because it did not end`,
      };
    case "broadcast": {
      const { order, acks, timeouts, failures, skippedDead } = event;
      const isWhole = timeouts + failures === 0;
      const counts = `${acks} acks, ${timeouts} timeouts, ${failures} failures, ${skippedDead} dead`;
      return {
        kind: timeouts > 0 ? EventKind.BROADCAST_TIMEOUT : EventKind.BROADCAST_ACK,
        severity: isWhole ? "INFO" : "WARN",
        reason: `${order}: ${counts}`,
      };
    }
    default:
      return undefined;
  }
}
