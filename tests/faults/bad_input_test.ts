import { randomInt } from "node:crypto";
import process from "node:process";
import { after, describe, test } from "node:test";
import assert from "node:assert/strict";
import { connectLocalSocket, type LocalStream } from "../../mod.ts";
import { header } from "./hostile_frames.ts";
import { hostileKinds, silentKinds } from "./hostile_kinds.ts";
import { requireServed, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { playHostile, readToEnd } from "./play_hostile.ts";
import { within } from "../support/waiting.ts";

const seed = Number(process.env["RP_FAULT_SEED"] ?? randomInt(1, 0x7fff_ffff));
console.log(`random bytes by seed ${seed}; again with RP_FAULT_SEED=${seed}`);

const SILENT_CLIENTS = 5;
const FIRST_FRAME_DEADLINE_MS = 300;

const served = await startLocalBackend();
const broker = await startLocalBroker(served, { helloRate: 0 });
const impatient = await startLocalBroker(served, { firstFrameDeadlineMs: FIRST_FRAME_DEADLINE_MS });
const silent: LocalStream[] = [];
for (let i = 0; i < SILENT_CLIENTS; i++) silent.push(await connectLocalSocket(broker.endpoint));

after(async () => {
  for (const stream of silent) stream.close();
  await broker[Symbol.asyncDispose]();
  await impatient[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

describe("the broker answers what it owes, and serves a good client meanwhile", () => {
  for (const kind of hostileKinds(seed)) {
    test(kind.name, async () => {
      const [, route] = await Promise.all([
        playHostile(broker.endpoint, kind),
        within("a good client beside it", requireServed(broker, kind.name)),
      ]);
      assert.equal(route, "handle-passed");
    });
  }
});

test("a client that stops in the middle of its first frame is dropped at the deadline, unanswered", async () => {
  const start = performance.now();
  await Promise.all([
    ...silentKinds().map((kind) => playHostile(impatient.endpoint, kind)),
    within("a good client beside them", requireServed(impatient)),
  ]);
  const tookMs = performance.now() - start;
  assert.ok(tookMs >= FIRST_FRAME_DEADLINE_MS - 5, `dropped after ${tookMs} ms`);
  const details = impatient.events.of("connection-failed").map(({ detail }) => detail);
  assert.equal(details.length, silentKinds().length);
  for (const detail of details) assert.match(detail, /^\[deadline\] Cannot read the first frame of a client/);
});

test("bytes that trickle in do not move the deadline of a first frame", async () => {
  const stream = await connectLocalSocket(impatient.endpoint);
  let isOpen = true;
  const ended = within("the end of a trickling client", readToEnd(stream)).finally(() => isOpen = false);
  await stream.write(header(1 << 20));
  let written = 0;
  for (; isOpen && written < 1 << 20; written++) {
    await stream.write(Uint8Array.of(8)).catch(() => isOpen = false);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await ended).length, 0);
  assert.ok(written > 2, `only ${written} writes`);
  stream.close();
});

test("silent clients are still connected after all of that", async () => {
  assert.equal(broker.broker.counts.connectionsOpen, SILENT_CLIENTS);
  assert.equal(await requireServed(broker), "handle-passed");
});
