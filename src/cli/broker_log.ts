// This module has no I/O.
import type { BrokerEvent } from "../broker/broker_event.ts";
import type { ConnectionLimit } from "../broker/limits/connection_limits.ts";
import type { PeerCredentials } from "../transport/local_stream.ts";

/** The line that an event is worth on stderr; `undefined` for what happens all the time. */
export function logLine(event: BrokerEvent, endpoint: string): string | undefined {
  switch (event.kind) {
    case "listening":
      return `serving ${event.endpoint}`;
    case "peer-dropped":
      return `dropped connection on ${endpoint} from ${peerText(event.peer)}: credential policy refused`;
    case "connection-limit":
      return `${event.isAnswered ? "refused" : "dropped"} connection on ${endpoint} from ${
        peerText(event.peer)
      }: ${LIMIT_TEXTS[event.limit]}; ${event.connectionsOpen} are open`;
    case "fd-pressure":
      if (!event.isDemoted) return "file descriptors suffice again: Hellos are answered";
      return `out of file descriptors: ${event.detail}; Hellos are refused until there are some, raise the limit ` +
        "(ulimit -n)";
    case "draining":
      return `stopping: ${event.connectionsOpen} connections are open, ${event.deadlineMs} ms for what is under way`;
    case "connection-failed":
      return `connection on ${endpoint} from ${peerText(event.peer)} failed: ${event.detail}`;
    case "handoff-fallback":
      return `handoff fallback: connection ${event.connectionId} at ${event.stage}: ${event.detail}`;
    case "backend-lost":
      return `backend ${event.service} ${event.version} (process ${event.pid}) has ended`;
    case "backend-verified":
      return `backend ${event.service} ${event.version} is process ${event.pid}`;
    case "backend-rejected":
      return `backend ${event.service} ${event.version} not usable: ${event.detail}`;
    case "backend-launched":
      return `backend ${event.service} ${event.version} launched as process ${event.pid}`;
    case "backend-adopted":
      return `backend ${event.service} ${event.version} adopted: process ${event.pid}`;
    case "backend-record-stale":
      return `record ${event.record} not used: ${event.detail}`;
    case "backend-record-unwritten":
      return `backend ${event.service} ${event.version} not recorded: ${event.detail}`;
    case "backend-idle-ended":
      return `backend ${event.service} ${event.version} (process ${event.pid}) ends: idle for ${event.idleMs} ms`;
    case "backend-kept":
      return `backend ${event.service} ${event.version} (process ${event.pid}) is idle and goes on: ${event.detail}`;
    case "backend-signalled":
      return `backend ${event.service} ${event.version} (process ${event.pid}) did not end: ${event.signal}`;
    case "broadcast":
      return `order ${event.order}: ${event.acks} acks, ${event.timeouts} timeouts, ${event.failures} failures, ` +
        `${event.skippedDead} dead`;
    case "lifecycle-log-failed":
      return `lifecycle log ${event.path} cannot be written: ${event.detail}`;
    case "backend-launch-failed":
      return `backend ${event.service} ${event.version} not launched: ${event.detail}`;
    case "handoff-limit":
      return `handoff fallback: ${event.handoffsPending} handoffs to backend ${event.service} ${event.version} ` +
        `are pending: the client reconnects`;
    case "handoff-channel":
      return `backend ${event.service} ${event.version} (process ${event.pid}) takes connections on a channel`;
    case "handoff-channel-lost":
      return `backend ${event.service} ${event.version} (process ${event.pid}): channel lost: ${event.detail}`;
    case "hello":
    case "admin":
    case "connection-passed":
    case "handoff-completed":
      return undefined;
  }
}

const LIMIT_TEXTS: Readonly<Record<ConnectionLimit, string>> = {
  "connections-open": "too many connections",
  "connections-per-process": "too many connections of this process",
  "descriptors": "too few file descriptors",
  "connections-total": "the last connection to be served has come",
};

function peerText(peer: PeerCredentials | undefined): string {
  return peer === undefined ? "unknown peer" : `peer pid=${peer.pid} uid_or_sid=${peer.uid}`;
}
