import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { connectLocalSocket, sendAdminRequest } from "../../mod.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { EARLY_DATA_BYTES_MAX } from "../../src/wire/handoff_extension.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { WAIT, within } from "../support/waiting.ts";
import { pattern } from "../transport/_transport.ts";
import { readExactly, requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import { earlyHello, PATIENT, readNegotiated, readReady, sendEarly, warmUp } from "./warm_lab.ts";

const CLIENTS = 200;

test("a first request that may not run twice travels along as well, and is answered behind the ready event", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served, { helloRate: 0 });
  await warmUp(broker);
  for (let round = 0; round < 20; round++) {
    const bytes = pattern(50, round);
    const session = await broker.connect({ ...PATIENT, earlyData: { bytes } });
    assert.equal(session.route, "handle-passed");
    assert.deepEqual(await within("the answer", readExactly(session.stream, 50)), bytes);
    await requireEcho(session.stream, `round ${round}`);
    session.close();
  }
  assert.equal(served.events.of("handoff-refused").length, 0);
});

test("I3: cut anywhere, no byte of Hello, first request and what follows is lost, doubled or out of order", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served, { helloRate: 0 });
  await warmUp(broker);
  const request = pattern(60);
  for (const isRepeatable of [false, true]) {
    const hello = earlyHello(isRepeatable);
    const bytes = concatBytes(hello, request);
    // Every cut near the Hello's end, where it matters who reads which byte, and some before.
    for (let cut = 1; cut < bytes.length; cut += cut < hello.length - 4 ? 17 : 1) {
      const stream = await connectLocalSocket(broker.endpoint, WAIT);
      await stream.write(bytes.subarray(0, cut));
      // The broker answers this behind whatever it had before.
      if (cut % 2 === 0) await sendAdminRequest(broker.endpoint, { verb: AdminVerb.HEALTHZ });
      await stream.write(bytes.subarray(cut));
      await stream.write(pattern(40, 60));
      await readReady(stream);
      const seen = await within(`the answers, cut at ${cut}`, readExactly(stream, 100));
      assert.deepEqual(seen, pattern(100), `cut at ${cut}`);
      await requireEcho(stream, "and on");
      stream.close();
    }
  }
});

test("rule 1: a client that writes without a pause across its handover loses no byte to the broker", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served, { helloRate: 0 });
  await warmUp(broker);
  for (let round = 0; round < 10; round++) {
    const stream = await connectLocalSocket(broker.endpoint, WAIT);
    const bytes = pattern(16_000);
    const writing = (async () => {
      await stream.write(concatBytes(earlyHello(round % 2 === 0), bytes.subarray(0, 10)));
      for (let at = 10; at < bytes.length; at += 111) await stream.write(bytes.subarray(at, at + 111));
    })();
    await readReady(stream);
    assert.deepEqual(await within("the answers", readExactly(stream, bytes.length)), bytes);
    await writing;
    stream.close();
  }
});

test("many clients at once, each with a first request, each get their own answer, and nothing is left open", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served, { helloRate: 0, connectionsPerProcessMax: CLIENTS });
  await warmUp(broker);
  const before = await settledFdCount();
  const routes = await Promise.all(Array.from({ length: CLIENTS }, async (_, id) => {
    const bytes = pattern(100 + id, id);
    const session = await broker.connect({ ...PATIENT, earlyData: { bytes, repeatable: id % 2 === 0 } });
    assert.deepEqual(await within("the answer", readExactly(session.stream, bytes.length)), bytes);
    await requireEcho(session.stream, `client ${id}`);
    session.close();
    return session.route;
  }));
  assert.deepEqual(new Set(routes), new Set(["handle-passed"]));
  assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
});

test("a herd that comes before the channel reconnects, and the backend is warmed up by one connection", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served, { helloRate: 0 });
  await Promise.all(Array.from({ length: 60 }, async (_, id) => {
    const bytes = pattern(20, id);
    const session = await broker.connect({ ...PATIENT, earlyData: { bytes } });
    assert.deepEqual(await within("the answer", readExactly(session.stream, 20)), bytes);
    session.close();
  }));
  await broker.events.nth("handoff-channel", 1);
  assert.equal(
    broker.events.of("connection-passed").filter(({ connectionId }) => connectionId === 0n).length,
    1,
  );
});

test("a longer first request waits until the connection stands, and is still the first thing the backend reads", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served);
  await warmUp(broker);
  for (const length of [EARLY_DATA_BYTES_MAX, EARLY_DATA_BYTES_MAX + 1, 300_000]) {
    const bytes = pattern(length);
    await using session = await broker.connect({ ...PATIENT, earlyData: { bytes } });
    assert.equal(session.route, "handle-passed");
    assert.deepEqual(
      await within("the answer", readExactly(session.stream, length)),
      bytes,
      `${length} bytes`,
    );
  }
});

test("rule 3: a client that sends more than the bound along, or does not announce it, is not handed over", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served);
  await warmUp(broker);
  const passed = broker.events.of("connection-passed").length;
  const long = await sendEarly(broker.endpoint, pattern(EARLY_DATA_BYTES_MAX + 1));
  assert.equal((await readNegotiated(long)).handlePassedToken.length, 0);
  assert.equal((await within("the end", readToEnd(long))).length, 0);
  long.close();
  assert.equal(broker.events.of("connection-passed").length, passed);
});

test(
  "clients that leave at once, or before they are ready, leave nothing behind and do not end the channel",
  {
    skip: process.platform !== "linux" && "reads /proc",
  },
  async () => {
    await using served = await startLocalBackend();
    await using broker = await startLocalBroker(served, { helloRate: 0 });
    await warmUp(broker);
    const before = await settledFdCount();
    for (let round = 0; round < 60; round++) {
      const stream = await sendEarly(broker.endpoint, pattern(20), round % 2 === 0);
      if (round % 3 === 0) await readNegotiated(stream);
      stream.close();
    }
    const session = await broker.connect({ ...PATIENT, earlyData: { bytes: pattern(9) } });
    assert.equal(session.route, "handle-passed");
    assert.deepEqual(await within("the answer", readExactly(session.stream, 9)), pattern(9));
    session.close();
    assert.equal(broker.events.of("handoff-channel-lost").length, 0);
    assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
  },
);
