import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { type Backend, serveBackend } from "../../src/backend/serve_backend.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { serveBroker } from "../../src/broker/serve_broker.ts";
import type { ServeBrokerOptions } from "../../src/broker/serve_broker_options.ts";
import { sendAdminRequest } from "../../src/client/admin_request.ts";
import { BrokerClientError } from "../../src/client/client_error.ts";
import { connectToBackend } from "../../src/client/connect_to_backend.ts";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { deferred, within } from "../support/waiting.ts";
import { pattern, readBytes } from "../transport/_transport.ts";
import { ownDefinition } from "./_probed_backend.ts";

/** A backend in this process with everything a broker in front of it needs. */
interface Lab extends AsyncDisposable {
  readonly dir: TempDir;
  readonly backend: Backend;
  readonly events: BrokerEvent[];
  /** Settles when connections go to the backend without a dial each. */
  readonly channel: Promise<void>;
  options(more?: Partial<ServeBrokerOptions>): ServeBrokerOptions;
}

async function startLab(): Promise<Lab> {
  const dir = await makeTempDir();
  const [endpoint, handoffEndpoint] = [dir.join("be.sock"), dir.join("ho.sock")];
  const identityFile = dir.join("identity.json");
  const service = { service: "svc", version: "1.2.3", namespace: "shared" };
  const backend = await serveBackend({ ...service, endpoint, handoffEndpoint, identityFile });
  void (async () => {
    for await (const connection of backend) {
      void connection.readable.pipeTo(connection.writable).catch(() => {});
    }
  })();
  await writeServiceDefinition(dir.join("defs"), ownDefinition());
  const events: BrokerEvent[] = [];
  const channel = deferred<void>();
  return {
    dir,
    backend,
    events,
    channel: channel.promise,
    options: (more = {}) => ({
      endpoint: dir.join("br.sock"),
      serviceDefinitionDir: dir.join("defs"),
      backend: { service: "svc", version: "1.2.3", endpoint, handoffEndpoint, identityFile },
      observe(event) {
        events.push(event);
        if (event.kind === "handoff-channel") channel.resolve();
      },
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      await backend.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const ask = (broker: string, verb: AdminVerb) => sendAdminRequest(broker, { verb });

test("a client's connection is handed over, works, and is counted", async () => {
  await using lab = await startLab();
  await using broker = await serveBroker(lab.options());
  await using session = await connectToBackend({ service: "svc", version: "1.2.3", broker: broker.endpoint });
  assert.equal(session.route, "handle-passed");
  await session.stream.write(pattern(1_000));
  assert.deepEqual(await readBytes(session.stream, 1_000), pattern(1_000));
  await within("the channel", lab.channel);
  const { body } = await ask(broker.endpoint, AdminVerb.METRICS);
  assert.ok(body.includes('hello_total{service="svc",version="1.2.3",outcome="negotiated"} 1'), body);
  assert.ok(body.includes('active_backends{service="svc"} 1'), body);
  assert.deepEqual(lab.events.map(({ kind }) => kind), [
    "listening",
    "hello",
    "connection-passed",
    "handoff-completed",
    "handoff-channel",
    "admin",
  ]);
});

test("its signal stops the broker, which takes its name along", async () => {
  await using lab = await startLab();
  const controller = new AbortController();
  const broker = await serveBroker(lab.options({ signal: controller.signal }));
  assert.ok(existsSync(broker.endpoint));
  controller.abort();
  await within("the end", broker.closed);
  assert.ok(!existsSync(broker.endpoint));
  assert.equal(broker.isAcceptingHello, false);
});

test("a signal that has fired already starts nothing", async () => {
  await using lab = await startLab();
  const reason = new Error("never mind");
  const starting = serveBroker(lab.options({ signal: AbortSignal.abort(reason) }));
  await assert.rejects(starting, (error) => error === reason);
  assert.ok(!existsSync(lab.dir.join("br.sock")));
});

test("a broker that has stopped does not listen to its signal any more", async () => {
  await using lab = await startLab();
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  const broker = await serveBroker(lab.options({ signal }));
  assert.equal(listeners, 1);
  await broker.close();
  await broker.closed;
  await Promise.resolve();
  assert.equal(listeners, 0);
});

test("the rate of Hellos is the one that was set; 0 turns it off", async () => {
  await using lab = await startLab();
  const connect = (broker: string) =>
    connectToBackend({ service: "svc", version: "1.2.3", broker, adoptHandedOffConnection: false });
  {
    await using broker = await serveBroker(lab.options({ helloRate: 1 }));
    (await connect(broker.endpoint)).close();
    await assert.rejects(connect(broker.endpoint), (error) => {
      assert.ok(error instanceof BrokerClientError);
      assert.equal(error.refusal?.reason, "Hello rate limit exceeded");
      const hint = error.refusal.retryAfterMs;
      assert.ok(hint > 0n && hint <= 1_000n, String(hint));
      return true;
    });
  }
  await using broker = await serveBroker(lab.options({ helloRate: 0 }));
  for (let i = 0; i < 20; i++) (await connect(broker.endpoint)).close();
});

test("operators hear of the broker as it is", async () => {
  await using lab = await startLab();
  await using broker = await serveBroker(lab.options());
  assert.equal((await ask(broker.endpoint, AdminVerb.HEALTHZ)).body, "ok\n");
  assert.equal((await ask(broker.endpoint, AdminVerb.READYZ)).exitCode, 0);
  const reply = await sendAdminRequest(broker.endpoint, { verb: AdminVerb.STATUS, json: true });
  const status = JSON.parse(reply.body);
  assert.equal(status.broker_instance, "shared");
  assert.deepEqual(status.backends.map(({ state }: { state: string }) => state), ["running"]);
});
