// run-in: deno
// deadline-s: 300
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { echo, LaunchLab, scriptDefinition } from "../interop/_launch_lab.ts";
import type { Runtime } from "../support/runtimes.ts";
import { isEvent, START_DEADLINE_MS } from "../support/topology.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node24"];
const EVENT = { deadlineMs: START_DEADLINE_MS };

/** A script that is to end after some seconds without clients. */
function briefDefinition(runtime: Runtime, seconds = 1) {
  const { labels, ...definition } = scriptDefinition(runtime, "tests/processes/plain_backend.ts");
  return { ...definition, labels: { ...labels, idle_timeout_secs: String(seconds) } };
}

/** The process of a backend that has ended for good; a process that waits for its parent has. */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, "utf8"));
}

/** Waits for an event of the broker. @returns What it says. */
async function event(lab: LaunchLab, kind: string): Promise<Record<string, unknown>> {
  return JSON.parse(await lab.broker.waitForLine(isEvent(kind), EVENT));
}

async function untilEnded(pid: number): Promise<void> {
  const end = performance.now() + START_DEADLINE_MS;
  while (isRunning(pid)) {
    if (performance.now() > end) assert.fail(`process ${pid} still runs`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const runtime of RUNTIMES) {
  test(`a backend in ${runtime} that nobody asks for ends by itself, and the next Hello starts another one`, async () => {
    await using lab = await LaunchLab.open(briefDefinition(runtime), runtime);
    await serveOnce(lab);
    const [first] = lab.starts as [number];
    assert.deepEqual((await event(lab, "backend-idle-ended"))["pid"], first);
    await untilEnded(first);
    await serveOnce(lab);
    assert.equal(lab.starts.length, 2);
    assert.deepEqual([lab.events("backend-lost"), lab.events("backend-signalled")], [[], []]);
  });
}

async function serveOnce(lab: LaunchLab): Promise<void> {
  await using session = await lab.connect();
  assert.equal(await echo(session, "hello"), "hello");
}

test("a backend with a client is kept, also one that is silent, and ends when the client has left", async () => {
  await using lab = await LaunchLab.open(briefDefinition("node24"));
  {
    await using session = await lab.connect();
    assert.equal(await echo(session, "hello"), "hello");
    const kept = await event(lab, "backend-kept");
    assert.equal(kept["detail"], "connections open: 1");
    assert.equal(await echo(session, "again"), "again");
  }
  assert.deepEqual((await event(lab, "backend-idle-ended"))["pid"], lab.starts[0]);
  await untilEnded(lab.starts[0]!);
  assert.equal(lab.starts.length, 1);
});

test("a backend whose broker was killed ends by itself after a while, when its last client has left", async () => {
  await using lab = await LaunchLab.open(briefDefinition("bun"));
  const pid = await (async () => {
    await using session = await lab.connect();
    lab.broker.killGroup();
    await lab.broker.exit;
    assert.equal(await echo(session, "still there"), "still there");
    return lab.starts[0]!;
  })();
  await untilEnded(pid);
});

test("a backend that outlived its broker is ended by the next one, which it takes orders from", async () => {
  await using lab = await LaunchLab.open(briefDefinition("bun", 5));
  {
    await using session = await lab.connect();
    assert.equal(await echo(session, "hello"), "hello");
    await lab.replaceBroker("bun");
  }
  assert.equal((await event(lab, "backend-idle-ended"))["pid"], lab.starts[0]);
  await untilEnded(lab.starts[0]!);
  assert.deepEqual(lab.events("backend-lost"), []);
});
