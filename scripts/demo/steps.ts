import type { BackendEvent } from "../../src/backend/backend_event.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import type { ClientEvent } from "../../src/client/client_event.ts";
import type { Step } from "./screen.ts";

/** An event as a process printed it: 64-bit numbers are strings, the time is microseconds since the epoch. */
type Printed<Event> = { readonly atUs: number } & Event;

interface Echoed {
  readonly kind?: undefined;
  readonly event: "echoed";
  readonly bytes: number;
  readonly durationUs: number;
}

/** The lines that a process printed, as events. */
export function parseLines<Event>(lines: readonly string[]): Printed<Event>[] {
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Printed<Event>);
}

export function clientSteps(lines: readonly string[]): Step[] {
  return parseLines<ClientEvent | Echoed>(lines).flatMap((event) => {
    const text = clientText(event);
    return text === undefined ? [] : [{ atUs: event.atUs, who: "client", text } as const];
  });
}

export function brokerSteps(lines: readonly string[]): Step[] {
  return parseLines<BrokerEvent>(lines).flatMap((event) => {
    const text = brokerText(event);
    return text === undefined ? [] : [{ atUs: event.atUs, who: "broker", text } as const];
  });
}

export function backendSteps(lines: readonly string[]): Step[] {
  return parseLines<BackendEvent>(lines).flatMap((event) => {
    const text = backendText(event);
    return text === undefined ? [] : [{ atUs: event.atUs, who: "backend", text } as const];
  });
}

function clientText(event: ClientEvent | Echoed): string | undefined {
  switch (event.kind) {
    case "connected":
      return `connected to the ${event.to} (${fileName(event.endpoint)})`;
    case "hello-sent":
      return "sent its Hello";
    case "negotiated":
      return event.handoffAnnounced
        ? `was told: connection ${event.connectionId} is being handed over, keep it`
        : `was told: connect to ${fileName(event.backendEndpoint)}`;
    case "handed-over":
      return "was told: ready, the backend holds the other end now";
    case "handoff-fallback":
      return `reconnects: ${event.detail}`;
    case undefined:
      if (event.event !== "echoed") return undefined;
      return `sent ${event.bytes} bytes and got the same back in ${event.durationUs} us`;
  }
}

function brokerText(event: BrokerEvent): string | undefined {
  switch (event.kind) {
    case "hello":
      if (event.code !== 0) {
        return `refused the Hello of process ${event.peer.pid}: ${event.outcome} (code ${event.code})`;
      }
      return `checked process ${event.peer.pid} and its Hello for ${event.service} ${event.version} in ${event.durationUs} us`;
    case "connection-passed":
      return `sent ${event.native} (the client's connection) to ${
        fileName(event.handoffEndpoint)
      }, with a one-time token`;
    case "handoff-completed":
      return `saw the ACK, wrote ready to the client, closed its copy (${event.durationUs} us after its reply)`;
    case "handoff-fallback":
      return `gave the handoff up at ${event.stage}: ${event.detail}`;
    default:
      return undefined;
  }
}

function backendText(event: BackendEvent): string | undefined {
  switch (event.kind) {
    case "adopted":
      return `received ${event.native}, token and offer agree, sent its ACK (${event.durationUs} us)`;
    case "connection":
      return event.origin === "handoff"
        ? "serves the handed-over connection"
        : "serves a connection dialled to it";
    default:
      return undefined;
  }
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
