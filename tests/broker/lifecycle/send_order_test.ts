import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { serveBackend } from "../../../src/backend/serve_backend.ts";
import type { RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import { orderSender } from "../../../src/broker/lifecycle/send_order.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import type { LocalStream } from "../../../src/transport/local_stream.ts";
import type { BackendOrder } from "../../../src/wire/backend_order.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";
import { WAIT, within } from "../../support/waiting.ts";
import { pattern, transport } from "../../transport/_transport.ts";
import { backendOf } from "../_backends.ts";

const RELEASE: BackendOrder = { kind: "ReleaseHandles", pathPrefix: "/srv/cache" };
const send = orderSender(transport);

/** What is registered for an endpoint of this process. */
function registered(endpoint: string, pid = process.pid): RegisteredBackend {
  const backend = backendOf();
  return { ...backend, backendPipe: endpoint, identity: { ...backend.identity, pid } };
}

/** A backend that does something else with its connections. */
async function listen(dir: TempDir, serve: (stream: LocalStream) => void) {
  const endpoint = dir.join("be.sock");
  const streams: LocalStream[] = [];
  const listener = await transport.listen(endpoint, {}, (stream) => {
    streams.push(stream);
    serve(stream);
  });
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      for (const stream of streams) stream.close();
      await listener.close();
    },
  };
}

test("an order reaches a backend, and its answer comes back", async () => {
  await using dir = await makeTempDir();
  const released: string[] = [];
  const onReleaseHandles = (pathPrefix: string) => void released.push(pathPrefix);
  const place = { service: "svc", version: "1.2.3", endpoint: dir.join("be.sock") };
  await using backend = await serveBackend({ ...place, onReleaseHandles });
  const outcome = await send(registered(backend.endpoint), RELEASE, WAIT);
  const answer = { accepted: true, detail: "", connectionsOpen: 0 };
  assert.deepEqual(outcome, { kind: "answered", answer });
  assert.deepEqual(released, ["/srv/cache"]);
});

test("a process that is not the verified backend gets no order", async () => {
  await using dir = await makeTempDir();
  let bytes = 0;
  await using other = await listen(dir, (stream) => {
    void stream.read().then((chunk) => bytes += chunk?.length ?? 0);
  });
  const outcome = await send(registered(other.endpoint, process.pid + 1), RELEASE, WAIT);
  assert.ok(outcome.kind === "failed");
  assert.match(outcome.detail, new RegExp(`^process ${process.pid} serves .* process ${process.pid + 1}$`));
  assert.equal(bytes, 0);
});

test("a process of another user gets no order", async () => {
  await using dir = await makeTempDir();
  await using other = await listen(dir, () => {});
  const asOther = orderSender({
    ownUser: transport.ownUser + 1,
    connectWithPeer: (endpoint, wait) => transport.connectWithPeer(endpoint, wait),
  });
  const outcome = await asOther(registered(other.endpoint), RELEASE, WAIT);
  assert.ok(outcome.kind === "failed");
  assert.match(outcome.detail, /^its endpoint belongs to uid/);
});

test("an endpoint that nobody serves is unreachable, whether its name is there or not", async () => {
  await using dir = await makeTempDir();
  const outcome = await send(registered(dir.join("be.sock")), RELEASE, WAIT);
  assert.equal(outcome.kind, "unreachable");
});

test("a backend that hangs up, echoes or says something else knows no orders", async () => {
  const echo = async (stream: LocalStream) => {
    const chunk = await stream.read();
    if (chunk !== null) await stream.write(chunk);
  };
  const makes: ((stream: LocalStream) => void)[] = [
    (stream) => void stream.read().then(() => stream.close()),
    (stream) => void echo(stream),
    (stream) => void stream.read().then(() => stream.write(pattern(64))),
  ];
  for (const serve of makes) {
    await using dir = await makeTempDir();
    await using other = await listen(dir, serve);
    const outcome = await send(registered(other.endpoint), RELEASE, WAIT);
    assert.equal(outcome.kind, "not-understood");
  }
});

test("a backend that says nothing has its time, and a signal ends that with its reason", async () => {
  await using dir = await makeTempDir();
  await using silent = await listen(dir, () => {});
  const backend = registered(silent.endpoint);
  assert.deepEqual(await send(backend, RELEASE, { deadlineMs: 1 }), { kind: "timeout" });
  const [signal, reason] = [new CancelSource(), new Error("enough")];
  const sending = send(backend, RELEASE, { ...WAIT, signal });
  signal.abort(reason);
  await assert.rejects(within("the end", sending), (error) => error === reason);
});
