import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectBackendRequest, connectLocalSocket } from "../../mod.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { WAIT, within } from "../support/waiting.ts";
import process from "node:process";
import { pattern } from "../transport/_transport.ts";
import { startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import { earlyHello, PATIENT, readReady, warmUp } from "./warm_lab.ts";

describe("a first request behind which the client's direction ends", () => {
  test("is answered to the end by a backend that its broker does not know yet", async () => {
    await using served = await startLocalBackend();
    await using broker = await startLocalBroker(served, { helloRate: 0 });
    const earlyData = { bytes: pattern(50), repeatable: true, end: true };
    const session = await broker.connect({ earlyData });
    assert.equal(session.route, "broker-negotiated");
    assert.deepEqual(await within("the answer", readToEnd(session.stream)), pattern(50));
    session.close();
  });

  test("is answered to the end on each way, and nothing more can be written", async () => {
    await using served = await startLocalBackend();
    await using broker = await startLocalBroker(served, { helloRate: 0 });
    await warmUp(broker);
    const ways: Record<string, Partial<ConnectBackendRequest>> = {
      "handle-passed": PATIENT,
      "broker-negotiated": { adoptHandedOffConnection: false },
      "hello-skip": { cachedBackendEndpoint: served.endpoint },
    };
    for (const [route, options] of Object.entries(ways)) {
      for (const repeatable of [false, true]) {
        for (const length of [1, 50, 16 * 1024, 100_000]) {
          const bytes = pattern(length);
          const session = await broker.connect({ ...options, earlyData: { bytes, repeatable, end: true } });
          assert.equal(session.route, route);
          assert.deepEqual(await within("the answer", readToEnd(session.stream)), bytes);
          await assert.rejects(session.stream.write(pattern(1)), { code: "closed" });
          session.close();
        }
      }
    }
    assert.equal(served.events.of("handoff-refused").length, 0);
  });

  test("is answered to the end wherever a broker finds it cut", async () => {
    await using served = await startLocalBackend();
    await using broker = await startLocalBroker(served, { helloRate: 0 });
    await warmUp(broker);
    for (const isRepeatable of [false, true]) {
      const hello = earlyHello(isRepeatable);
      const bytes = concatBytes(hello, pattern(60));
      for (const cut of [1, 5, hello.length - 1, hello.length, hello.length + 1, bytes.length]) {
        const stream = await connectLocalSocket(broker.endpoint, WAIT);
        await stream.write(bytes.subarray(0, cut));
        // A turn or two of the event loop, so that the broker has seen the first part.
        if (cut % 2 === 1) (await broker.connect({ adoptHandedOffConnection: false })).close();
        if (cut < bytes.length) await stream.write(bytes.subarray(cut));
        await stream.closeWrite();
        await readReady(stream);
        assert.deepEqual(await within(`the answer, cut at ${cut}`, readToEnd(stream)), pattern(60));
        stream.close();
      }
    }
  });

  test("leaves no descriptor with its backend", {
    skip: process.platform !== "linux" && "reads /proc",
  }, async () => {
    await using served = await startLocalBackend();
    await using broker = await startLocalBroker(served, { helloRate: 0 });
    await warmUp(broker);
    const before = await settledFdCount();
    for (let round = 0; round < 100; round++) {
      const earlyData = { bytes: pattern(50), repeatable: round % 2 === 0, end: true };
      const session = await broker.connect({ ...PATIENT, earlyData });
      assert.equal(session.route, "handle-passed");
      if (round % 3 !== 0) await within("the answer", readToEnd(session.stream));
      session.close();
    }
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  });
});
