import process from "node:process";
import { realpathSync } from "node:fs";
import {
  type Backend,
  type BackendConnection,
  type BackendEvent,
  type Broker,
  type BrokerEvent,
  type ConnectBackendRequest,
  connectToBackend,
  type LocalStream,
  serveBackend,
  serveBroker,
  type ServeBrokerOptions,
} from "../../mod.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { defineService, SERVICE, VERSION } from "../support/topology.ts";
import { echo } from "./echo.ts";
import { EventLog } from "./event_log.ts";
import { WAIT, within } from "../support/waiting.ts";

/** A backend of this process that echoes, in a folder of its own with the definition of its service. */
export interface LocalBackend extends AsyncDisposable {
  readonly dir: TempDir;
  readonly backend: Backend;
  readonly endpoint: string;
  readonly handoffEndpoint: string;
  readonly events: EventLog<BackendEvent>;
  readonly definitions: string;
}

/** A broker of this process in front of it. */
export interface LocalBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly endpoint: string;
  readonly events: EventLog<BrokerEvent>;
  /** Connects a client of this process. */
  connect(options?: Partial<ConnectBackendRequest>): Promise<BackendConnection>;
}

/** Starts a backend; brokers of this process find in it the very executable they run in. */
export async function startLocalBackend(): Promise<LocalBackend> {
  const dir = await makeTempDir();
  const endpoint = dir.join("be.sock");
  const handoffEndpoint = dir.join("ho.sock");
  const events = new EventLog<BackendEvent>();
  const { observe } = events;
  const place = { endpoint, handoffEndpoint, namespace: "shared" };
  const backend = await serveBackend({ service: SERVICE, version: VERSION, ...place, observe });
  void serveEcho(backend);
  return {
    dir,
    backend,
    endpoint,
    handoffEndpoint,
    events,
    definitions: await defineService(dir, realpathSync(process.execPath)),
    async [Symbol.asyncDispose]() {
      await backend.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

let brokers = 0;

/** Starts a broker in front of a backend, on an endpoint of its own. */
export async function startLocalBroker(
  served: LocalBackend,
  options: Partial<ServeBrokerOptions> = {},
): Promise<LocalBroker> {
  const { endpoint: backendEndpoint, handoffEndpoint } = served;
  const endpoint = options.endpoint ?? served.dir.join(`br${brokers++}.sock`);
  const events = new EventLog<BrokerEvent>();
  const broker = await serveBroker({
    endpoint,
    serviceDefinitionDir: served.definitions,
    backend: { service: SERVICE, version: VERSION, endpoint: backendEndpoint, handoffEndpoint },
    observe: events.observe,
    ...options,
  });
  return {
    broker,
    endpoint,
    events,
    connect: (more) =>
      connectToBackend({
        service: SERVICE,
        version: VERSION,
        broker: endpoint,
        deadlineMs: WAIT.deadlineMs,
        ...more,
      }),
    [Symbol.asyncDispose]: () => broker.close({ drainDeadlineMs: 0 }),
  };
}

async function serveEcho(backend: Backend): Promise<void> {
  for await (const connection of backend) void echo(connection.stream);
}

/** Sends a text and wants it back. */
export async function requireEcho(stream: LocalStream, text: string): Promise<void> {
  const wanted = new TextEncoder().encode(text);
  await stream.write(wanted);
  const seen = await within(`the echo of "${text}"`, readExactly(stream, wanted.length));
  const got = new TextDecoder().decode(seen);
  if (got !== text) throw new Error(`Echo: seen "${got}", wanted "${text}"`);
}

/** So many bytes, or fewer when the stream ends first; what follows them stays in the stream. */
export async function readExactly(stream: LocalStream, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let seen = 0;
  while (seen < length) {
    const chunk = await stream.read();
    if (chunk === null) break;
    const taken = chunk.subarray(0, length - seen);
    bytes.set(taken, seen);
    seen += taken.length;
    if (taken.length < chunk.length) stream.unread(chunk.slice(taken.length));
  }
  return bytes.subarray(0, seen);
}

/** Connects through a broker and has an echo: what a well-behaved client does. */
export async function requireServed(
  broker: LocalBroker,
  text = "served",
): Promise<BackendConnection["route"]> {
  await using session = await broker.connect();
  await requireEcho(session.stream, text);
  return session.route;
}
