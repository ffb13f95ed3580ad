import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import test from "node:test";
import type { BackendEvent } from "../../src/backend/backend_event.ts";
import { serveBackend } from "../../src/backend/serve_backend.ts";
import type { ServeBackendOptions } from "../../src/backend/serve_backend_options.ts";
import {
  type BackendOrder,
  decodeOrderAnswer,
  encodeBackendOrder,
  type OrderAnswer,
} from "../../src/wire/backend_order.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { until, WAIT, within } from "../support/waiting.ts";
import { pattern, readBytes, transport } from "../transport/_transport.ts";

const IF_IDLE: BackendOrder = { kind: "Quiesce", reason: "IdleTimeout", onlyIfIdle: true };
const ANYWAY: BackendOrder = { kind: "Quiesce", reason: "Maintenance" };

async function serve(dir: TempDir, options: Partial<ServeBackendOptions> = {}) {
  const events: BackendEvent[] = [];
  const backend = await serveBackend({
    service: "svc",
    version: "1.2.3",
    endpoint: dir.join("be.sock"),
    handoffEndpoint: dir.join("ho.sock"),
    identityFile: dir.join("identity.json"),
    observe: (event) => void events.push(event),
    ...options,
  });
  const iterator = backend[Symbol.asyncIterator]();
  const next = async () => (await within("a connection or the end", iterator.next())).value;
  const connect = async () => {
    const stream = await transport.connect(backend.endpoint, WAIT);
    await stream.write(pattern(5));
    return stream;
  };
  return { backend, events, next, connect };
}

async function give(endpoint: string, order: BackendOrder): Promise<OrderAnswer> {
  const stream = await transport.connect(endpoint, WAIT);
  try {
    await stream.write(encodeBackendOrder(order));
    const decoded = decodeOrderAnswer(await readFrame(stream, { signal: AbortSignal.timeout(10_000) }));
    assert.ok(decoded.ok);
    return decoded.answer;
  } finally {
    stream.close();
  }
}

test("an idle backend that is to end takes its names along before it says so, and its iteration ends", async () => {
  await using dir = await makeTempDir();
  const { backend, next, events } = await serve(dir);
  const ended = next();
  assert.deepEqual(await give(backend.endpoint, IF_IDLE), { accepted: true, detail: "", connectionsOpen: 0 });
  assert.deepEqual(readdirSync(dir.path), []);
  assert.equal(await ended, undefined);
  assert.deepEqual(events.slice(-2), [
    { kind: "quiesced", reason: "IdleTimeout" },
    { kind: "order", order: "Quiesce", accepted: true, detail: "" },
  ]);
  await backend.close();
});

test("a backend with a connection, served or silent, goes on when it is to end only if idle", async () => {
  for (const isSilent of [false, true]) {
    await using dir = await makeTempDir();
    const { backend, next, connect } = await serve(dir);
    const client = await (isSilent ? transport.connect(backend.endpoint, WAIT) : connect());
    const served = isSilent ? undefined : await next();
    const declined = { accepted: false, detail: "it has connections", connectionsOpen: 1 };
    if (isSilent) {
      // Whoever connects later is accepted later.
      (await connect()).close();
      (await next())!.close();
    }
    assert.deepEqual(await settledAnswer(backend.endpoint, declined.connectionsOpen), declined);
    assert.deepEqual(readdirSync(dir.path).sort(), ["be.sock", "ho.sock", "identity.json"]);
    client.close();
    served?.close();
    assert.equal((await settledAnswer(backend.endpoint, 0)).accepted, true);
    await backend.close();
  }
});

/** Asks until a connection that was given up is counted no more. */
async function settledAnswer(endpoint: string, connectionsOpen: number): Promise<OrderAnswer> {
  const end = performance.now() + WAIT.deadlineMs;
  for (;;) {
    const answer = await give(endpoint, IF_IDLE);
    if (answer.connectionsOpen === connectionsOpen || performance.now() > end) return answer;
  }
}

test("a backend that is to end anyway serves its connections to their end, those nobody took yet too", async () => {
  await using dir = await makeTempDir();
  const { backend, next, connect, events } = await serve(dir);
  const clients = [await connect(), await connect()];
  const first = await next();
  await until("both are there", () => events.filter(({ kind }) => kind === "connection").length === 2);
  assert.deepEqual(await give(backend.endpoint, ANYWAY), { accepted: true, detail: "", connectionsOpen: 2 });
  assert.deepEqual(readdirSync(dir.path), []);
  const second = await next();
  const ended = next();
  for (const [index, connection] of [first!, second!].entries()) {
    await connection.stream.write(pattern(9));
    assert.deepEqual(await readBytes(clients[index]!, 9), pattern(9));
    connection.close();
    clients[index]!.close();
  }
  assert.equal(await ended, undefined);
  await backend.close();
});

test("a backend that already ends says so again", async () => {
  await using dir = await makeTempDir();
  const { backend, next, connect, events } = await serve(dir);
  const client = await connect();
  const served = await next();
  const orderer = await transport.connect(backend.endpoint, WAIT);
  assert.equal((await settledAnswer(backend.endpoint, 2)).accepted, false);
  await give(backend.endpoint, ANYWAY);
  await orderer.write(encodeBackendOrder(ANYWAY));
  const decoded = decodeOrderAnswer(await readFrame(orderer, { signal: AbortSignal.timeout(10_000) }));
  assert.ok(decoded.ok && decoded.answer.accepted);
  assert.equal(events.filter(({ kind }) => kind === "quiesced").length, 1);
  for (const stream of [orderer, client]) stream.close();
  served!.close();
  assert.equal(await next(), undefined);
  await backend.close();
});

test("handles are released by the application, whose connections go on", async () => {
  await using dir = await makeTempDir();
  const released: string[] = [];
  const { backend, events } = await serve(dir, { onReleaseHandles: (path) => void released.push(path) });
  const answer = await give(backend.endpoint, { kind: "ReleaseHandles", pathPrefix: "/srv/cache" });
  assert.deepEqual([answer.accepted, released], [true, ["/srv/cache"]]);
  assert.ok(existsSync(backend.endpoint));
  assert.deepEqual(events.at(-1), { kind: "order", order: "ReleaseHandles", accepted: true, detail: "" });
  await backend.close();
});
