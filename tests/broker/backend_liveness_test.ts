import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { BackendLiveness, WATCHES_MAX } from "../../src/broker/backend_liveness.ts";
import { processIdentity } from "../../src/host/process_identity.ts";
import type { ProcessIdentity } from "../../src/host/process_start.ts";
import type { ProcessWatch } from "../../src/transport/transport.ts";
import { until } from "../support/waiting.ts";
import { transport } from "../transport/_transport.ts";

const own = await processIdentity(process.pid);
assert.ok(own !== undefined);
const OWN: ProcessIdentity = own;

/** Watches that the test ends. */
function fakeWatches() {
  const open: { pid: number; hasEnded: boolean; closed: number }[] = [];
  const watchProcess = (pid: number): ProcessWatch => {
    const watch = { pid, hasEnded: false, closed: 0 };
    open.push(watch);
    return { hasEnded: () => watch.hasEnded, close: () => void watch.closed++ };
  };
  return { open, liveness: new BackendLiveness({ watchProcess }) };
}

test("a backend is alive as long as its very process is, with a watch and without", () => {
  const kinds = [new BackendLiveness(transport), new BackendLiveness({ watchProcess: () => undefined })];
  for (const liveness of kinds) {
    for (let i = 0; i < 3; i++) {
      assert.equal(liveness.isAlive(OWN), true);
      assert.equal(liveness.isAlive({ ...OWN, startMark: "1" }), false, "another process of its number");
      assert.equal(liveness.isAlive({ ...OWN, pid: 4_194_303 }), false);
    }
    liveness.close();
    assert.equal(liveness.isAlive(OWN), true);
    assert.equal(liveness.isAlive({ ...OWN, startMark: "1" }), false);
  }
});

test("a process is watched once, and its watch believed from then on", () => {
  const { open, liveness } = fakeWatches();
  for (let i = 0; i < 5; i++) assert.equal(liveness.isAlive(OWN), true);
  assert.equal(open.length, 1);
  open[0]!.hasEnded = true;
  assert.equal(liveness.isAlive(OWN), false);
  assert.equal(open[0]!.closed, 1);
  liveness.close();
  assert.equal(open[0]!.closed, 1);
});

test("a watch on what was dead already, or another process, is given up at once", () => {
  const { open, liveness } = fakeWatches();
  assert.equal(liveness.isAlive({ ...OWN, startMark: "1" }), false);
  assert.deepEqual(open.map(({ closed }) => closed), [1]);
});

test("close() gives every watch up once, and no new ones are made", () => {
  const { open, liveness } = fakeWatches();
  assert.equal(liveness.isAlive(OWN), true);
  liveness.close();
  liveness.close();
  assert.deepEqual(open.map(({ closed }) => closed), [1]);
  assert.equal(liveness.isAlive(OWN), true);
  assert.equal(open.length, 1);
});

test("no more watches than the bound are open; the other processes are looked up", async () => {
  let open = 0;
  const watch = { hasEnded: () => false, close: () => void open-- };
  const liveness = new BackendLiveness({ watchProcess: () => (open++, watch) });
  const start = () => spawn("/bin/cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  const children = Array.from({ length: WATCHES_MAX + 2 }, start);
  const exited = Promise.all(children.map((one) => new Promise((resolve) => one.once("close", resolve))));
  const identities = await Promise.all(children.map(({ pid }) => processIdentity(pid!)));
  for (const identity of identities) assert.equal(liveness.isAlive(identity!), true);
  assert.equal(open, WATCHES_MAX);
  const last = identities.at(-1)!;
  assert.equal(liveness.isAlive({ ...last, startMark: "1" }), false);
  for (const child of children) child.kill("SIGKILL");
  await exited;
  assert.equal(liveness.isAlive(last), false);
  liveness.close();
  assert.equal(open, 0);
});

test("a child is alive until it has ended, also before its parent has asked", async () => {
  const liveness = new BackendLiveness(transport);
  const child = spawn(process.execPath, ["--version"], { stdio: ["pipe", "ignore", "ignore"] });
  const sleeper = spawn("/bin/cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  const exited = Promise.all(
    [child, sleeper].map((one) => new Promise((resolve) => one.once("close", resolve))),
  );
  const identity = await processIdentity(sleeper.pid!);
  assert.ok(identity !== undefined);
  assert.equal(liveness.isAlive(identity), true);
  sleeper.kill("SIGKILL");
  await until("its end", () => !liveness.isAlive(identity));
  assert.equal(liveness.isAlive(identity), false);
  await exited;
  liveness.close();
});
