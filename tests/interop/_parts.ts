import assert from "node:assert/strict";
import type { Runtime } from "../support/runtimes.ts";
import type { StartedProcess } from "../support/spawn.ts";
import { CLIENT_DEADLINE_MS, isEvent, runClient, SERVICE, VERSION } from "../support/topology.ts";
import { defineOurService, defineRustService } from "./_definitions.ts";
import { executableOf, type Lab } from "./_lab.ts";

/** Who plays a part: the reference, or this project in a runtime. */
export type Player = "rust" | Runtime;

/** A running echo backend. */
export interface BackendPart {
  readonly player: Player;
  readonly process: StartedProcess;
  readonly endpoint: string;
  readonly handoffEndpoint: string;
  readonly identityFile: string;
  /** Directory with the service's definition, written by the backend's own implementation. */
  readonly definitions: string;
}

/** A running broker in front of one backend. */
export interface BrokerPart {
  readonly player: Player;
  readonly process: StartedProcess;
  readonly endpoint: string;
  readonly backend: BackendPart;
}

/** The three ways of a client to its backend. */
export const routes = ["hello-skip", "reconnect", "handoff"] as const;

/** One way of a client to its backend. */
export type Route = typeof routes[number];

/** Rust clients send all of it before they read, so it has to fit into the sockets' buffers. */
const RUST_PAYLOAD_BYTES = 8 * 1024;
const RUST_BROKER_ATTEMPTS = 5;
/** More than the sockets' buffers hold. */
const PAYLOAD_BYTES = 1024 * 1024;

const RUST_ROUTES: Readonly<Record<Route, string>> = {
  "hello-skip": "HelloSkip",
  "reconnect": "BrokerNegotiated",
  "handoff": "HandlePassed",
};
const OUR_ROUTES: Readonly<Record<Route, string>> = {
  "hello-skip": "hello-skip",
  "reconnect": "broker-negotiated",
  "handoff": "handle-passed",
};

/** Starts a backend that takes connections both ways, and writes the definition of its service. */
export async function startBackend(lab: Lab, player: Player, ...rustFlags: string[]): Promise<BackendPart> {
  const endpoint = lab.newPath("be.sock");
  const handoffEndpoint = lab.newPath("ho.sock");
  const identityFile = lab.newPath("id.json");
  const definitions = await lab.newFolder();
  const part = { player, endpoint, handoffEndpoint, identityFile, definitions };
  if (player === "rust") {
    await defineRustService(lab, definitions, lab.crate.backend);
    const places = ["--endpoint", endpoint, "--handoff", handoffEndpoint, "--identity-file", identityFile];
    const command = { command: lab.crate.backend, args: [...places, ...rustFlags] };
    return { ...part, process: await lab.start(command, "ready") };
  }
  await defineOurService(definitions, executableOf(player));
  const options = { service: SERVICE, version: VERSION, endpoint, handoffEndpoint, identityFile };
  const process = await lab.startModule(player, "echo_backend.ts", { ...options, namespace: "shared" });
  return { ...part, process };
}

/** What differs from the ordinary broker. */
export interface BrokerOptions {
  /** @default {true} */
  readonly takesHandoffs?: boolean;
  /** For ours, to which only the announced process will then do. */
  readonly identityFile?: string;
}

/** Starts a broker in front of a backend. A Rust one verifies it by its identity file, ours by a probe. */
export async function startBroker(
  lab: Lab,
  player: Player,
  backend: BackendPart,
  { takesHandoffs = true, identityFile }: BrokerOptions = {},
): Promise<BrokerPart> {
  const endpoint = lab.newPath("br.sock");
  const { definitions } = backend;
  const handoffEndpoint = takesHandoffs ? backend.handoffEndpoint : undefined;
  if (player === "rust") {
    const args = ["serve", "--keep", "--socket", endpoint, "--dir", definitions];
    args.push("--backend", `${SERVICE},${VERSION},${backend.identityFile}`);
    if (handoffEndpoint !== undefined) args.push("--handoff", `${SERVICE},${VERSION},${handoffEndpoint}`);
    return { player, process: await startRustBroker(lab, args), endpoint, backend };
  }
  const process = await lab.startModule(player, "broker.ts", {
    endpoint,
    serviceDefinitionDir: definitions,
    backend: {
      service: SERVICE,
      version: VERSION,
      endpoint: backend.endpoint,
      handoffEndpoint,
      identityFile,
    },
  });
  return { player, process, endpoint, backend };
}

/** The reference gives a backend 500 ms to say who it is, which a busy machine may exceed. */
async function startRustBroker(lab: Lab, args: readonly string[]): Promise<StartedProcess> {
  for (let attempt = 1;; attempt++) {
    try {
      return await lab.start({ command: lab.crate.broker, args }, "listening");
    } catch (error) {
      if (attempt === RUST_BROKER_ATTEMPTS || !/timed out/.test((error as Error).message)) throw error;
    }
  }
}

/** Runs a client on one route: its bytes have to come back, and the backend has to see it come that way. */
export async function takeRoute(lab: Lab, player: Player, broker: BrokerPart, route: Route): Promise<void> {
  const { backend } = broker;
  const fromLine = backend.process.stdoutLines.length;
  if (player === "rust") await takeRustRoute(lab, broker, route);
  else await takeOurRoute(player, broker, route);
  const origin = route === "handoff" ? "handoff" : "endpoint";
  await backend.process.waitForLine(isServed(backend, origin), { deadlineMs: CLIENT_DEADLINE_MS, fromLine });
}

async function takeRustRoute(lab: Lab, broker: BrokerPart, route: Route): Promise<void> {
  const flags: Readonly<Record<Route, string[]>> = {
    "hello-skip": ["--cached", broker.backend.endpoint],
    "reconnect": [],
    "handoff": ["--adopt"],
  };
  const seen = await runRustClient(lab, broker, ...flags[route]);
  assert.equal(seen["route"], RUST_ROUTES[route], JSON.stringify(seen).slice(0, 500));
  assert.ok(seen["echo"] === seen["sent"], "the echo is what was sent");
}

/** Runs one connection of the reference's client. */
export async function runRustClient(lab: Lab, broker: BrokerPart, ...flags: string[]) {
  const target = ["--broker", broker.endpoint, "--service", SERVICE, "--version", VERSION];
  return await lab.askPeer(
    "client",
    "connect",
    ...target,
    "--send-hex",
    "5a".repeat(RUST_PAYLOAD_BYTES),
    ...flags,
  );
}

async function takeOurRoute(runtime: Runtime, broker: BrokerPart, route: Route): Promise<void> {
  const options: Readonly<Record<Route, Record<string, unknown>>> = {
    "hello-skip": { cachedBackendEndpoint: broker.backend.endpoint },
    "reconnect": { adoptHandedOffConnection: false },
    "handoff": { adoptHandedOffConnection: true },
  };
  const target = { broker: broker.endpoint, bytes: PAYLOAD_BYTES };
  const { event, routes, corrupt, message } = await runClient(runtime, { ...target, ...options[route] });
  const wanted = { event: "done", routes: { [OUR_ROUTES[route]]: 1 }, corrupt: 0 };
  assert.deepEqual({ event, routes, corrupt }, wanted, message);
}

/** The line of a backend's log about a connection that it served. */
export function isServed({ player }: BackendPart, origin: "endpoint" | "handoff"): (line: string) => boolean {
  const isEnd = isEvent(player === "rust" ? "closed" : "connection");
  return (line) => {
    if (!isEnd(line)) return false;
    const seen = JSON.parse(line) as { via?: string; origin?: string; bytes_in?: number };
    // A Rust backend tells at a connection's end; without a byte it was none of a client's.
    return player === "rust" ? seen.via === origin && (seen.bytes_in ?? 0) > 0 : seen.origin === origin;
  };
}
