// This module has no I/O.
import type { BrokerEvent } from "../broker/broker_event.ts";
import type { PeerCredentials } from "../transport/local_stream.ts";

/** The line that an event is worth on stderr; `undefined` for what happens all the time. */
export function logLine(event: BrokerEvent, endpoint: string): string | undefined {
  switch (event.kind) {
    case "listening":
      return `serving ${event.endpoint}`;
    case "peer-dropped":
      return `dropped connection on ${endpoint} from ${peerText(event.peer)}: credential policy refused`;
    case "connection-limit":
      return `dropped connection on ${endpoint} from ${
        peerText(event.peer)
      }: ${event.connectionsOpen} connections are open`;
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
    case "backend-launch-failed":
      return `backend ${event.service} ${event.version} not launched: ${event.detail}`;
    case "hello":
    case "admin":
    case "connection-passed":
    case "handoff-completed":
      return undefined;
  }
}

function peerText(peer: PeerCredentials | undefined): string {
  return peer === undefined ? "unknown peer" : `peer pid=${peer.pid} uid_or_sid=${peer.uid}`;
}
