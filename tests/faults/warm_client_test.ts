import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import type { BackendConnection, BrokerClientError, LocalStream } from "../../mod.ts";
import { publishMarker } from "../../src/broker/publish_marker.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import {
  CAPABILITY_EARLY_DATA,
  CAPABILITY_HANDLE_PASSING,
  CAPABILITY_HANDOFF_ANNOUNCED,
  CAPABILITY_REPEATABLE,
} from "../../src/wire/constants.ts";
import { encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { deferred, within } from "../support/waiting.ts";
import { pattern } from "../transport/_transport.ts";
import { textBytes } from "./hostile_frames.ts";
import { readExactly } from "./local_pair.ts";
import { type HeardClient, type ScriptedBroker, startScriptedBroker } from "./scripted_broker.ts";
import { PATIENT } from "./warm_lab.ts";

const { canDrain } = await loadTransport();
/** Where a connection cannot be drained, a request that may not run twice waits for READY anyway. */
const drains = { skip: !canDrain && "connections cannot be drained here" };

const TOKEN = pattern(16, 4);
const READY = encodeHandoffReady({ token: TOKEN, accepted: true, correlationId: 5n });
const REQUEST = textBytes("first request");
const HANDOFF = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED;

/** Promises a handoff. */
const promise = (client: HeardClient) =>
  client.stream.write(client.reply({ handlePassedToken: TOKEN, serverCapabilities: HANDOFF }));

/** A broker that is marked as one of ours. */
async function startMarked(script: (client: HeardClient) => void | Promise<void>): Promise<ScriptedBroker> {
  const broker = await startScriptedBroker(script);
  await publishMarker(broker.endpoint);
  return broker;
}

/** Connects with a first request. */
function ask(
  broker: ScriptedBroker,
  repeatable: boolean,
  readyTimeoutMs?: number,
): Promise<BackendConnection> {
  const early = { earlyData: { bytes: REQUEST, repeatable } };
  const wait = readyTimeoutMs === undefined ? PATIENT : { handoffReadyTimeoutMs: readyTimeoutMs };
  return within("the connection", broker.connect({ ...wait, ...early }));
}

/** The echo of exactly one request: nothing comes behind it until something more is written. */
async function requireOneAnswer({ stream }: BackendConnection): Promise<void> {
  assert.deepEqual(await within("the answer", readExactly(stream, REQUEST.length)), REQUEST);
  await stream.write(textBytes("X"));
  assert.deepEqual(await within("the next answer", readExactly(stream, 1)), textBytes("X"));
}

const early = (client: HeardClient) =>
  within("the early request", readExactly(client.stream, REQUEST.length));

describe("who is sent a first request along with the Hello", () => {
  const bits = CAPABILITY_EARLY_DATA | CAPABILITY_REPEATABLE;

  test("a broker whose marker is its socket's own; the Hello says so", drains, async () => {
    for (const repeatable of [false, true]) {
      const seen: Uint8Array[] = [];
      await using broker = await startMarked(async (client) => {
        seen.push(await early(client));
        await client.stream.write(client.reply());
        await client.left();
      });
      await using session = await ask(broker, repeatable);
      await requireOneAnswer(session);
      assert.deepEqual(seen, [REQUEST]);
      const wanted = repeatable ? bits : CAPABILITY_EARLY_DATA;
      assert.equal(broker.hellos[0]!.clientCapabilities & bits, wanted);
    }
  });

  test("no broker without a marker, with garbage for one, or with another socket's", async () => {
    await using other = await startMarked(() => {});
    const markers: Record<string, (endpoint: string) => Promise<unknown>> = {
      "none": () => Promise.resolve(),
      "garbage": (endpoint) => writeFile(`${endpoint}.ext`, pattern(200)),
      "another's": async (endpoint) => {
        await publishMarker(endpoint);
        const text = await import("node:fs").then(({ readFileSync }) =>
          readFileSync(`${other.endpoint}.ext`)
        );
        await writeFile(`${endpoint}.ext`, text);
      },
    };
    for (const [title, mark] of Object.entries(markers)) {
      const rest = deferred<Uint8Array | null>();
      await using broker = await startScriptedBroker(async (client) => {
        await client.stream.write(client.reply());
        rest.resolve(await client.stream.read().catch(() => null));
      });
      await mark(broker.endpoint);
      await using session = await ask(broker, true);
      await requireOneAnswer(session);
      assert.equal(broker.hellos[0]!.clientCapabilities & bits, 0n, title);
      assert.equal(
        await within("the client's end", rest.promise),
        null,
        `${title}: nothing came behind the Hello`,
      );
    }
  });

  test("not the broker of another make that has taken the path of one of ours", async () => {
    await using broker = await startMarked((client) => client.stream.write(client.reply()));
    const first = await ask(broker, true);
    first.close();
    assert.equal(broker.hellos[0]!.clientCapabilities & bits, bits);
    const transport = await loadTransport();
    await rm(broker.endpoint);
    const seen = deferred<Uint8Array | null>();
    await using listener = await transport.listen(broker.endpoint, {}, (stream: LocalStream) => {
      void stream.read().then(seen.resolve).finally(() => stream.close());
    });
    assert.equal(listener.endpoint, broker.endpoint);
    await assert.rejects(ask(broker, true));
    const hello = await within("its Hello", seen.promise);
    assert.ok(hello !== null);
    assert.equal(new TextDecoder().decode(hello).includes("first request"), false);
  });
});

describe("rule 14: a first request that may not run twice, with no ready event in time,", drains, () => {
  test("cannot start any more, and is sent again exactly once", async () => {
    const late = deferred<boolean>();
    await using broker = await startMarked(async (client) => {
      assert.deepEqual(await early(client), REQUEST);
      await promise(client);
      // The backend stalls until the client has given up; then its ready event must not leave.
      await client.left();
      late.resolve(await client.stream.write(READY).then(() => true, () => false));
    });
    await using session = await ask(broker, false, 100);
    assert.equal(session.route, "broker-negotiated");
    assert.match(session.handoffFallback ?? "", /no handoff-ready event in 100 ms/);
    await requireOneAnswer(session);
    assert.equal(await within("the late ready event", late.promise), false, "it is kept from leaving");
  });

  test("has an unknown outcome when the ready event was on its way: nothing is sent again", async () => {
    const left = deferred<void>();
    await using broker = await startMarked(async (client) => {
      await early(client);
      await promise(client);
      // What the client takes for the end of its wait, with the ready event queued behind it.
      const other = encodeHandoffReady({ token: pattern(16, 9), accepted: true, correlationId: 5n });
      await client.stream.write(Uint8Array.from([...other, ...READY]));
      await client.left();
      left.resolve();
    });
    const error = await ask(broker, false).then(() => undefined, (seen: BrokerClientError) => seen);
    assert.equal(error?.kind, "EarlyDataOutcomeUnknown");
    assert.match(error.message, /Cannot tell whether the first request was carried out/);
    await within("the client's end", left.promise);
    assert.equal(broker.hellos.length, 1);
  });
});

test("rule 13: the end of the connection alone means that nothing has run: the request is sent again", async () => {
  for (const repeatable of [false, true]) {
    await using broker = await startMarked(async (client) => {
      if (canDrain || repeatable) await early(client);
      await promise(client);
    });
    await using session = await ask(broker, repeatable);
    assert.equal(session.handoffFallback, "the broker closed the connection");
    await requireOneAnswer(session);
  }
});

test("rule 13: a ready event ahead of the end is adopted, also by a client that sees both at once", async () => {
  await using broker = await startMarked(async (client) => {
    if (canDrain) await early(client);
    await promise(client);
    await client.stream.write(READY);
  });
  await using session = await ask(broker, false);
  assert.equal(session.route, "handle-passed");
  assert.equal(await session.stream.read(), null, "rule 10: what ends behind it is the caller's to see");
});

test("a request that may run twice is sent again whatever was on its way", async () => {
  await using broker = await startMarked(async (client) => {
    await early(client);
    await promise(client);
    const other = encodeHandoffReady({ token: pattern(16, 9), accepted: true, correlationId: 5n });
    await client.stream.write(Uint8Array.from([...other, ...READY]));
    await client.left();
  });
  await using session = await ask(broker, true);
  assert.equal(session.route, "broker-negotiated");
  await requireOneAnswer(session);
});

test("rule 11: a stalled backend costs a client its own wait and no more, and the request runs once", async () => {
  await using broker = await startMarked(async (client) => {
    await promise(client);
    await client.left();
  });
  for (const repeatable of [false, true]) {
    await using session = await ask(broker, repeatable, 50);
    assert.equal(session.route, "broker-negotiated");
    await requireOneAnswer(session);
  }
});

test("rule 12: the connection to the broker is gone before the backend is dialled", drains, async () => {
  const order: string[] = [];
  await using broker = await startMarked(async (client) => {
    await promise(client);
    await client.left();
    order.push("left");
  });
  const session = await broker.connect({
    handoffReadyTimeoutMs: 50,
    earlyData: { bytes: REQUEST },
    observe: ({ kind, ...event }) => void order.push("to" in event ? `${kind} ${event.to}` : kind),
  });
  await requireOneAnswer(session);
  session.close();
  assert.equal(order.filter((one) => one === "connected backend").length, 1);
  assert.ok(order.indexOf("handoff-fallback") < order.indexOf("connected backend"), order.join());
});
