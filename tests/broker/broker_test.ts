import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker, type BrokerParts } from "../../src/broker/broker.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import type { FirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import type { FirstFrameArrival, IncomingConnection, Transport } from "../../src/transport/transport.ts";
import type { WaitOptions } from "../../src/transport/wait_options.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { decodeAdminRequest } from "../../src/wire/admin_frames.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { deferred, turns, within } from "../support/waiting.ts";
import { FakeClient } from "./fake_client.ts";
import { fakeBroker, OWN_USER } from "./_client_parts.ts";

const HELLO = encodeHello({
  serviceName: "my-daemon",
  wantedVersion: "1.2.3",
  peerPid: 0,
  clientCapabilities: 0n,
});

/** A client whose first frame comes when the test says so, or never. */
class SlowClient extends FakeClient {
  readonly #sent = deferred<void>();

  constructor() {
    super(HELLO, { pid: 77, uid: OWN_USER, gid: 0 });
  }

  send(): void {
    this.#sent.resolve();
  }

  override async firstFrame(reader: FirstFrameReader, options?: WaitOptions): Promise<FirstFrameArrival> {
    const stopped = new Promise<never>((_, reject) => {
      options?.signal?.addEventListener("abort", () => reject(options.signal!.reason));
    });
    await Promise.race([this.#sent.promise, stopped]);
    return await super.firstFrame(reader);
  }

  get answer(): string | undefined {
    if (this.written.length === 0) return undefined;
    const reply = decodeHelloReply(this.written[0]!.subarray(FRAME_HEADER_BYTES));
    return reply.kind === "refused" ? reply.reason : reply.kind;
  }
}

/** A broker over a listener that is the test. */
async function start(options: Partial<BrokerParts> & { failsToClose?: boolean } = {}) {
  const { parts, events } = fakeBroker();
  const order: string[] = [];
  let accept!: (incoming: IncomingConnection) => void;
  let politeRequest: Uint8Array | undefined;
  const abort = new CancelSource();
  abort.addEventListener("abort", () => order.push("gave up"));
  const transport: Transport = {
    ...parts.transport,
    listenPassable: (endpoint, listening, onConnection) => {
      accept = onConnection;
      politeRequest = listening.politeRequest;
      const close = () => {
        order.push("listener closed");
        return options.failsToClose ? Promise.reject(new Error("EACCES")) : Promise.resolve();
      };
      return Promise.resolve({ endpoint, close, [Symbol.asyncDispose]: close });
    },
  };
  const broker = new Broker({
    endpoint: "/run/br.sock",
    transport,
    client: parts,
    observe: (event) => void events.push(event),
    connectionsOpenMax: 3,
    connectionsMax: Infinity,
    abort,
    ...options,
  });
  await broker.listen();
  const connect = () => {
    const client = new SlowClient();
    accept(client);
    return client;
  };
  return { broker, events, order, connect, accept, abort, politeRequest: () => politeRequest };
}

test("a broker says that it listens, and asks politely before it takes a name over", async () => {
  const { broker, events, politeRequest } = await start();
  assert.deepEqual(events, [{ kind: "listening", endpoint: "/run/br.sock" }]);
  assert.deepEqual([broker.endpoint, broker.isAcceptingHello], ["/run/br.sock", true]);
  const frame = decodeStrict(FrameSchema, politeRequest()!.subarray(FRAME_HEADER_BYTES));
  const request = decodeAdminRequest(frame);
  assert.ok(request.ok);
  assert.equal(request.request.verb, AdminVerb.HEALTHZ);
  await broker.close();
});

test("connections are counted while they are served", async () => {
  const { broker, connect } = await start();
  assert.deepEqual(broker.counts, { connectionsAccepted: 0, connectionsOpen: 0 });
  const [first] = [connect(), connect()];
  assert.deepEqual(broker.counts, { connectionsAccepted: 2, connectionsOpen: 2 });
  first!.send();
  await turns();
  assert.equal(first!.answer, "negotiated");
  assert.deepEqual(broker.counts, { connectionsAccepted: 2, connectionsOpen: 1 });
  await broker.close();
  assert.deepEqual(broker.counts, { connectionsAccepted: 2, connectionsOpen: 0 });
});

test("beyond the limit of open connections a client is told to come again, until there is room", async () => {
  const { broker, connect, events } = await start({ connectionsOpenMax: 2 });
  const [first, second] = [connect(), connect()];
  const third = connect();
  const limits = events.filter(({ kind }) => kind === "connection-limit");
  const limit = { limit: "connections-open", isAnswered: true, connectionsOpen: 2 };
  assert.deepEqual(limits, [{ kind: "connection-limit", peer: third.peer, ...limit }]);
  third.send();
  await turns();
  assert.equal(third.answer, "broker has too many open connections; retry shortly");
  first.send();
  await turns();
  const fourth = connect();
  fourth.send();
  second.send();
  await turns();
  assert.deepEqual([first.answer, second.answer, fourth.answer], ["negotiated", "negotiated", "negotiated"]);
  assert.equal(broker.counts.connectionsAccepted, 4);
  await broker.close();
});

test("beyond its own limit a process is told so, and closed unread when too many of it are being told", async () => {
  const { broker, connect, events } = await start({ connectionsOpenMax: 100, connectionsPerProcessMax: 1 });
  const clients = Array.from({ length: 10 }, connect);
  const limits = events.flatMap((event) => event.kind === "connection-limit" ? [event] : []);
  assert.deepEqual([...new Set(limits.map(({ limit }) => limit))], ["connections-per-process"]);
  assert.deepEqual(limits.map(({ isAnswered }) => isAnswered), [...Array(8).fill(true), false]);
  const last = clients.at(-1)!;
  assert.deepEqual([last.endings, last.bytesRead], [["close"], false]);
  assert.equal(broker.counts.connectionsAccepted, 9);
  clients[1]!.send();
  await turns();
  assert.equal(clients[1]!.answer, "process has too many open connections; retry shortly");
  await broker.close();
});

test("closing: silent clients are dropped with the listener, and only then all is given up", async () => {
  const { broker, connect, order, events } = await start();
  const silent = connect();
  const closing = broker.close();
  assert.equal(broker.isAcceptingHello, false);
  assert.deepEqual(events.at(-1), { kind: "draining", connectionsOpen: 1, deadlineMs: 10_000 });
  await within("closing", closing);
  await broker.closed;
  assert.ok(silent.endings.includes("close"));
  assert.equal(silent.answer, undefined);
  assert.deepEqual(order, ["listener closed", "gave up"]);
});

test("while something is under way a stopping broker still listens, and refuses Hellos in words", async () => {
  const route = deferred<{ kind: "refused"; refusal: { code: 7; reason: string } }>();
  const { broker, connect, order } = await start({
    client: fakeBroker({ route: () => route.promise }).parts,
  });
  const [busy, silent] = [connect(), connect()];
  busy.send();
  await turns();
  const closing = broker.close();
  const late = connect();
  for (const client of [silent, late]) client.send();
  await turns();
  assert.deepEqual([silent.answer, late.answer], ["broker is shutting down", "broker is shutting down"]);
  assert.deepEqual(order, []);
  route.resolve({ kind: "refused", refusal: { code: 7, reason: "done" } });
  await within("closing", closing);
  assert.equal(busy.answer, "done");
  assert.deepEqual(order, ["listener closed", "gave up"]);
});

test("a later close() shortens the time of an earlier one, and cannot make it longer", async () => {
  const { broker, connect, order, abort } = await start({
    client: fakeBroker({
      route: () =>
        new Promise((_, reject) => abort.addEventListener("abort", () => reject(new Error("given up")))),
    }).parts,
  });
  connect().send();
  await turns();
  const closing = broker.close({ drainDeadlineMs: 600_000 });
  await turns();
  assert.deepEqual(order, []);
  void broker.close({ drainDeadlineMs: 5 });
  void broker.close({ drainDeadlineMs: 600_000 });
  await within("closing", closing);
  assert.deepEqual(order, ["listener closed", "gave up"]);
});

test("a Hello that arrives while the broker stops is refused in words", async () => {
  const { broker, connect } = await start();
  const client = connect();
  client.send();
  const closing = broker.close();
  await within("closing", closing);
  assert.equal(client.answer, "broker is shutting down");
});

test("what is under way has its time to end before it is given up", async () => {
  const route = deferred<{ kind: "refused"; refusal: { code: 7; reason: string } }>();
  const slow = fakeBroker({ route: () => route.promise });
  const { broker, connect, order } = await start({ client: slow.parts });
  const client = connect();
  client.send();
  await turns();
  const closing = broker.close({ drainDeadlineMs: 60_000 });
  await turns();
  assert.deepEqual(order, [], "still waiting");
  route.resolve({ kind: "refused", refusal: { code: 7, reason: "done" } });
  await within("closing", closing);
  assert.equal(client.answer, "done");
  assert.deepEqual(order, ["listener closed", "gave up"]);
});

test("what takes longer than the drain is given up", async () => {
  const { broker, connect, order, abort } = await start({
    client: fakeBroker({
      route: () =>
        new Promise((_, reject) => abort.addEventListener("abort", () => reject(new Error("given up")))),
    }).parts,
  });
  const client = connect();
  client.send();
  await turns();
  await within("closing", broker.close({ drainDeadlineMs: 10 }));
  assert.deepEqual(order, ["listener closed", "gave up"]);
  assert.ok(client.endings.length > 0);
  assert.equal(broker.counts.connectionsOpen, 0);
});

test("close() may be repeated, and disposing closes", async () => {
  const { broker, order } = await start();
  const [one, two] = [broker.close(), broker.close()];
  assert.equal(one, two);
  await one;
  await broker[Symbol.asyncDispose]();
  await broker.close();
  assert.deepEqual(order, ["listener closed", "gave up"]);
});

test("after the last connection that was asked for the broker serves it to its end and stops", async () => {
  const { broker, connect, order, events } = await start({ connectionsMax: 2 });
  const [first, last] = [connect(), connect()];
  const tooMany = connect();
  assert.deepEqual([tooMany.endings, tooMany.bytesRead], [["close"], false]);
  assert.equal(events.filter(({ kind }) => kind === "connection-limit").length, 1);
  await turns();
  assert.ok(order.includes("listener closed"));
  assert.ok(!order.includes("gave up"), "the last ones are still served");
  first!.send();
  last!.send();
  await within("the end", broker.closed);
  assert.deepEqual([first!.answer, last!.answer], ["negotiated", "negotiated"]);
  assert.equal(broker.counts.connectionsAccepted, 2);
});

test("a name that cannot be removed is told to whoever closes, and keeps nothing from ending", async () => {
  for (const connectionsMax of [Infinity, 1]) {
    const { broker, connect, order } = await start({ failsToClose: true, connectionsMax });
    const client = connect();
    if (connectionsMax === 1) {
      client.send();
      await within("the end", broker.closed);
      assert.equal(client.answer, "negotiated");
    }
    await assert.rejects(within("closing", broker.close()), /EACCES/);
    await within("the end", broker.closed);
    assert.equal(order.at(-1), "gave up");
    assert.equal(broker.counts.connectionsOpen, 0);
  }
});
