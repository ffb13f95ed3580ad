import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import type { BackendConnection } from "../../mod.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { deferred, until, WAIT, within } from "../support/waiting.ts";
import { textBytes } from "./hostile_frames.ts";
import { readExactly, requireEcho } from "./local_pair.ts";
import { PATIENT, warmUp } from "./warm_lab.ts";
import { startWarmPair, type WarmPair } from "./warm_scripted_pair.ts";
import { adopting, type WarmTaken } from "./warm_taker.ts";

/** Connects with a first request that may not run twice, and wants its answer. */
async function ask({ broker }: WarmPair, request: string): Promise<BackendConnection> {
  const bytes = textBytes(request);
  const session = await broker.connect({ ...PATIENT, earlyData: { bytes } });
  assert.deepEqual(await within("the answer", readExactly(session.stream, bytes.length)), bytes);
  return session;
}

const closings: Record<string, (ends: Pick<WarmTaken, "passing" | "doorbell">) => void> = {
  "the descriptors' connection": ({ passing }) => passing.close(),
  "the doorbell": ({ doorbell }) => doorbell.close(),
  "both": ({ passing, doorbell }) => (passing.close(), doorbell.close()),
};

for (const [which, close] of Object.entries(closings)) {
  describe(`a backend that closes ${which} of its channel`, () => {
    test("while nothing is under way: the next clients reconnect, and another channel opens", async () => {
      await using pair = await startWarmPair();
      close(pair.taker.channels.at(-1)!);
      await pair.broker.events.nth("handoff-channel-lost", 1);
      await warmUp(pair.broker, 2);
      const session = await ask(pair, "on the second channel");
      assert.equal(session.route, "handle-passed");
      session.close();
      assert.equal(pair.broker.events.of("handoff-fallback").length, 0);
    });

    test("with clients offered and not adopted: each reconnects at once, and its request runs once", async () => {
      await using pair = await startWarmPair();
      const { broker, taker, reconnected } = pair;
      const offered: WarmTaken[] = [];
      taker.use((taken) => void offered.push(taken));
      const requests = Array.from({ length: 12 }, (_, i) => `request ${i}`);
      const asking = Promise.all(requests.map((request) => ask(pair, request)));
      await until("all offers", () => offered.length === requests.length);
      close(offered[0]!);
      // A backend whose process ends, or that gives the channel up: nothing of it stays open.
      for (const { connection } of offered) connection.close();
      for (const session of await asking) {
        assert.equal(session.route, "broker-negotiated");
        assert.equal(session.handoffFallback, "the broker closed the connection");
        session.close();
      }
      assert.deepEqual([...reconnected].sort(), [...requests].sort());
      await broker.events.nth("handoff-fallback", requests.length);
      taker.use(adopting);
      await warmUp(broker, 2);
      const session = await ask(pair, "afterwards");
      assert.equal(session.route, "handle-passed");
      session.close();
    });

    test("rule 8: between the ready event and the ACK: who was adopted stays so", async () => {
      await using pair = await startWarmPair();
      const { broker, taker, reconnected } = pair;
      taker.use((taken) => {
        assert.ok(taken.ready());
        taken.serve();
        close(taken);
      });
      const session = await ask(pair, "adopted all the same");
      assert.equal(session.route, "handle-passed");
      const { detail, reason } = await broker.events.nth("handoff-fallback", 1);
      assert.equal(reason, "BackendAckTimeout", detail);
      await requireEcho(session.stream, "the session goes on");
      session.close();
      assert.deepEqual(reconnected, []);
    });
  });
}

test("descriptors that wait in a channel end with it: their clients reconnect, and their requests run once", async () => {
  await using pair = await startWarmPair();
  const { broker, taker, reconnected } = pair;
  const gate = deferred<void>();
  let seen = 0;
  // The first offer holds the others up, which so stay in the kernel with their descriptors.
  taker.use((
    taken,
  ) => (seen++,
    gate.promise.then(() => (taken.connection.close(), taken.passing.close(), taken.doorbell.close())))
  );
  const requests = Array.from({ length: 10 }, (_, i) => `request ${i}`);
  const asking = Promise.all(requests.map((request) => ask(pair, request)));
  const passedBefore = 1;
  await until(
    "all of them",
    () => broker.events.of("connection-passed").length === requests.length + passedBefore,
  );
  gate.resolve();
  for (const session of await asking) {
    assert.equal(session.route, "broker-negotiated");
    session.close();
  }
  assert.equal(seen, 1);
  assert.deepEqual([...reconnected].sort(), [...requests].sort());
});

test("rule 19: repeated, unknown and late ACKs end nothing, and the channel goes on", async () => {
  await using pair = await startWarmPair();
  const { broker, taker } = pair;
  taker.use(async (taken) => {
    await taken.ack({ correlationId: 999_999n });
    await taken.ack({ token: new Uint8Array(16) });
    taken.ready();
    taken.serve();
    for (let i = 0; i < 3; i++) await taken.ack();
    await taken.ack({ accepted: false });
  });
  for (let round = 1; round <= 5; round++) {
    const session = await ask(pair, `round ${round}`);
    assert.equal(session.route, "handle-passed");
    session.close();
    await broker.events.nth("handoff-completed", round);
  }
  assert.deepEqual(broker.events.of("handoff-channel-lost"), []);
  assert.deepEqual(broker.events.of("handoff-fallback"), []);
});

test("a refusal ends the client's connection at once, and is no failure of the backend", async () => {
  await using pair = await startWarmPair();
  const { broker, taker, reconnected } = pair;
  taker.use((taken) => {
    taken.connection.close();
    return taken.ack({ accepted: false, readyRelayed: false, errorDetail: "too busy" });
  });
  for (let round = 1; round <= 12; round++) {
    const session = await ask(pair, `round ${round}`);
    assert.equal(session.handoffFallback, "the broker closed the connection");
    session.close();
    const { detail, reason } = await broker.events.nth("handoff-fallback", round);
    assert.deepEqual([detail, reason], ["backend refused the handoff: too busy", undefined]);
  }
  assert.equal(reconnected.length, 12);
  taker.use(adopting);
  const again = await ask(pair, "again");
  assert.equal(again.route, "handle-passed");
  again.close();
});

test("rule 8: a broker that stops with offers under way ends none of them", async () => {
  await using pair = await startWarmPair();
  const { broker, taker, reconnected } = pair;
  const offered: WarmTaken[] = [];
  taker.use((taken) => void offered.push(taken));
  const asking = Promise.all([1, 2, 3].map((i) => ask(pair, `request ${i}`)));
  await until("the offers", () => offered.length === 3);
  await broker.broker.close({ drainDeadlineMs: 0 });
  for (const taken of offered) {
    assert.ok(taken.ready());
    taken.serve();
  }
  for (const session of await asking) {
    assert.equal(session.route, "handle-passed");
    await requireEcho(session.stream, "without a broker");
    session.close();
  }
  assert.deepEqual(reconnected, []);
});

test("I5: whatever becomes of its offers, a channel leaves no descriptor open", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const before = await settledFdCount();
  {
    await using pair = await startWarmPair();
    const { broker, taker } = pair;
    const ends = Object.values(closings);
    for (let round = 0; round < 12; round++) {
      const end = ends[round % 4];
      taker.use((taken) => {
        if (end === undefined) return adopting(taken);
        taken.connection.close();
        end(taken);
      });
      (await ask(pair, `round ${round}`)).close();
      if (end === undefined) continue;
      await broker.events.nth("handoff-channel-lost", broker.events.of("handoff-channel").length);
      taker.use(adopting);
      await warmUp(broker, broker.events.of("handoff-channel").length + 1);
    }
  }
  assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
});
