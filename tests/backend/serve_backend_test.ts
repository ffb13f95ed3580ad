import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import type { BackendEvent } from "../../src/backend/backend_event.ts";
import { Backend, serveBackend } from "../../src/backend/serve_backend.ts";
import type { ServeBackendOptions } from "../../src/backend/serve_backend_options.ts";
import { BrokerError } from "../../src/errors.ts";
import { readIdentityFileStrictly } from "../../src/host/identity_file.ts";
import { unixTransport } from "../../src/transport/unix/unix_transport.ts";
import { UnixDetachedConnection } from "../../src/transport/unix/detached_connection.ts";
import { ownedEnd } from "../../src/transport/unix/detached_end.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { encodeHandoffOffer } from "../../src/wire/handoff_frames.ts";
import { decodeProbeResponse, encodeProbeRequest } from "../../src/wire/probe.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { until, WAIT, within } from "../support/waiting.ts";
import { native, pattern, readAll, readBytes, socketPair, transport } from "../transport/_transport.ts";

const PLACE = { service: "svc", version: "1.2.3" };

async function serve(dir: TempDir, options: Partial<ServeBackendOptions> = {}) {
  const events: BackendEvent[] = [];
  const observe = (event: BackendEvent) => void events.push(event);
  const backend = await serveBackend({ ...PLACE, endpoint: dir.join("be.sock"), observe, ...options });
  const iterator = backend[Symbol.asyncIterator]();
  const next = async () => (await within("a connection", iterator.next())).value;
  return { backend, events, next, kinds: () => events.map(({ kind }) => kind) };
}

test("a client that dials is handed out with its first bytes, and may be answered", async () => {
  await using dir = await makeTempDir();
  const { backend, next, kinds } = await serve(dir);
  const client = await transport.connect(backend.endpoint, WAIT);
  await client.write(pattern(50));
  const connection = await next();
  assert.equal(connection?.origin, "endpoint");
  assert.deepEqual(await readBytes(connection!.stream, 50), pattern(50));
  await connection!.stream.write(pattern(60));
  assert.deepEqual(await readBytes(client, 60), pattern(60));
  connection!.close();
  client.close();
  await backend.close();
  assert.deepEqual(kinds(), ["listening", "connection"]);
});

test("a client that says nothing is not handed out, and dropped when the backend stops", async () => {
  await using dir = await makeTempDir();
  const { backend, next, kinds } = await serve(dir);
  const [silent, talking] = [
    await transport.connect(backend.endpoint, WAIT),
    await transport.connect(backend.endpoint, WAIT),
  ];
  await talking.write(pattern(1));
  assert.deepEqual(await readBytes((await next())!.stream, 1), pattern(1));
  await backend.close();
  assert.equal(await within("the end", silent.read()), null);
  assert.equal(await next(), undefined);
  await until("the event", () => kinds().includes("connection-unused"));
  for (const stream of [silent, talking]) stream.close();
});

test("a client that leaves before it spoke, and a probe that is none, are told and dropped", async () => {
  await using dir = await makeTempDir();
  const { backend, events } = await serve(dir);
  const leaving = await transport.connect(backend.endpoint, WAIT);
  leaving.close();
  await until("the event", () => events.length === 2);
  assert.deepEqual(events[1], { kind: "connection-unused", origin: "endpoint", detail: "end" });
  const odd = await transport.connect(backend.endpoint, WAIT);
  const payload = pattern(31);
  await odd.write(encodeFramed({ envelopeVersion: 1, kind: 1, payloadProtocol: 0xb232, payload }));
  assert.equal(await within("the end", odd.read()), null);
  assert.deepEqual(events[2], { kind: "connection-unused", origin: "endpoint", detail: "malformed-probe" });
  odd.close();
  await backend.close();
});

test("probes are answered with this process's identity, in the namespace that was set", async () => {
  await using dir = await makeTempDir();
  const { backend, kinds } = await serve(dir, { namespace: "shared", idleTimeoutSecs: 30 });
  const client = await transport.connect(backend.endpoint, WAIT);
  const nonce = pattern(32, 3);
  await client.write(encodeProbeRequest(nonce));
  const answer = decodeProbeResponse(await readFrame(client, { signal: AbortSignal.timeout(10_000) }), nonce);
  assert.ok(answer.ok);
  const { pid, ipcEndpoint, idleTimeoutSecs } = answer.identity;
  assert.deepEqual([pid, ipcEndpoint?.namespaceId, ipcEndpoint?.path, idleTimeoutSecs], [
    process.pid,
    "shared",
    backend.endpoint,
    30,
  ]);
  assert.deepEqual(answer.identity, await backend.identity);
  client.close();
  await until("the event", () => kinds().includes("probe-answered"));
  await backend.close();
});

test("without a namespace it is that of a private broker of the service", async () => {
  await using dir = await makeTempDir();
  const { backend } = await serve(dir);
  assert.equal((await backend.identity).ipcEndpoint?.namespaceId, "private:svc");
  await backend.close();
});

test("a passed connection is handed out with its first bytes, and is the client's own", async () => {
  await using dir = await makeTempDir();
  const { backend, next, kinds } = await serve(dir, { handoffEndpoint: dir.join("ho.sock") });
  const [ours, theirs] = socketPair();
  const control = await transport.dialControl(dir.join("ho.sock"), WAIT);
  const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(ours)));
  const token = pattern(16, 4);
  const offer = encodeHandoffOffer({ token, serviceName: "svc", correlationId: 5n });
  assert.deepEqual(control.pass(connection, token, () => offer), { ok: true });
  connection.close();
  assert.ok((await readFrame(control, { signal: AbortSignal.timeout(10_000) })).length > 0);
  control.close();
  native.sockets.sendBytes(theirs, pattern(9));
  const adopted = await next();
  assert.equal(adopted?.origin, "handoff");
  assert.deepEqual(await readBytes(adopted!.stream, 9), pattern(9));
  adopted!.close();
  await adopted!.stream.closed;
  assert.deepEqual(native.sockets.receiveBytes(theirs, 9), { kind: "eof" });
  native.sockets.closeFd(theirs);
  await backend.close();
  assert.deepEqual(kinds(), ["listening", "listening", "adopted", "connection"]);
});

test("without native calls it serves its endpoint, and says that it takes no handoffs", async () => {
  await using dir = await makeTempDir();
  const events: BackendEvent[] = [];
  const backend = new Backend(unixTransport({ ok: false, reason: "install koffi" }), {
    ...PLACE,
    namespace: "shared",
    endpoint: dir.join("be.sock"),
    handoffEndpoint: dir.join("ho.sock"),
    idleTimeoutSecs: undefined,
    observe: (event) => void events.push(event),
  });
  await backend.listen();
  assert.deepEqual(readdirSync(dir.path), ["be.sock"]);
  assert.deepEqual(events[0], { kind: "no-handoffs", detail: "install koffi" });
  await backend.close();
});

test("closing may be repeated, ends the iteration and takes names and announcement along", async () => {
  await using dir = await makeTempDir();
  const identityFile = dir.join("identity.json");
  const { backend, next } = await serve(dir, { handoffEndpoint: dir.join("ho.sock"), identityFile });
  assert.deepEqual(await readIdentityFileStrictly(identityFile), await backend.identity);
  assert.deepEqual(readdirSync(dir.path).sort(), ["be.sock", "ho.sock", "identity.json"]);
  const ended = next();
  await Promise.all([backend.close(), backend.close()]);
  await backend[Symbol.asyncDispose]();
  assert.equal(await ended, undefined);
  assert.deepEqual(readdirSync(dir.path), []);
});

test("a backend that cannot start leaves nothing behind, and what another one has announced", async () => {
  await using dir = await makeTempDir();
  const identityFile = dir.join("identity.json");
  const { backend } = await serve(dir, { identityFile });
  const second = serve(dir, { identityFile, handoffEndpoint: dir.join("ho.sock") });
  await assert.rejects(second, (error) => BrokerError.is(error) && error.code === "endpoint-taken");
  assert.deepEqual(readdirSync(dir.path).sort(), ["be.sock", "identity.json"]);
  await backend.close();
  assert.ok(!existsSync(identityFile));
});

test("a backend whose successor has announced itself leaves that announcement alone", async () => {
  await using dir = await makeTempDir();
  const identityFile = dir.join("identity.json");
  const first = await serve(dir, { identityFile });
  const second = await serve(dir, { identityFile, endpoint: dir.join("next.sock") });
  await first.backend.close();
  assert.deepEqual(await readIdentityFileStrictly(identityFile), await second.backend.identity);
  await second.backend.close();
  assert.ok(!existsSync(identityFile));
});

test("connections that nobody took are closed with the backend", async () => {
  await using dir = await makeTempDir();
  const { backend, kinds } = await serve(dir);
  const client = await transport.connect(backend.endpoint, WAIT);
  await client.write(pattern(5));
  await until("the connection", () => kinds().includes("connection"));
  await backend.close();
  const seen = await within("the end", readAll(client).catch((error) => error));
  assert.ok(seen instanceof Uint8Array ? seen.length === 0 : BrokerError.is(seen));
  client.close();
});

test("an application may use the web streams", async () => {
  await using dir = await makeTempDir();
  const { backend, next } = await serve(dir);
  const client = await transport.connect(backend.endpoint, WAIT);
  const sending = client.write(pattern(300_000)).then(() => client.closeWrite());
  const connection = await next();
  const echoing = connection!.readable.pipeTo(connection!.writable);
  assert.deepEqual(await readAll(client), pattern(300_000));
  await Promise.all([sending, echoing]);
  client.close();
  await backend.close();
});
