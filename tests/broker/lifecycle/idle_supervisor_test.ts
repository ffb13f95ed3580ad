import assert from "node:assert/strict";
import test from "node:test";
import { answered, launchedOf, Supervised } from "./_supervised.ts";

const open = (idleTimeoutSecs?: number) => Supervised.open(launchedOf(idleTimeoutSecs));

test("a backend that nobody asks for is asked to end if it has no connection, and is gone for Hellos then", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(9_999);
  assert.equal(lab.orders.length, 0);
  await lab.timer.pass(1);
  const [{ order, deadlineMs, backend: asked }] = lab.orders as [typeof lab.orders[0]];
  assert.deepEqual(order, { kind: "Quiesce", reason: "IdleTimeout", onlyIfIdle: true });
  assert.deepEqual([asked, deadlineMs], [backend, 5_000]);
  await lab.settle(answered(true));
  assert.deepEqual(lab.registry.list(), []);
  const { service, version } = backend.key;
  assert.deepEqual(lab.events, [
    { kind: "backend-idle-ended", service, version, pid: 101, idleMs: 10_000 },
  ]);
  assert.deepEqual(lab.seenToEnd, [backend]);
  assert.notEqual(await lab.backendFor(), backend);
  assert.equal(lab.launches.length, 2);
});

test("every Hello starts the time anew, whether its backend was there or not", async () => {
  await using lab = await open();
  await lab.backendFor();
  for (let i = 0; i < 5; i++) {
    await lab.timer.pass(9_000);
    await lab.backendFor();
  }
  assert.equal(lab.orders.length, 0);
  await lab.timer.pass(9_999);
  assert.equal(lab.orders.length, 0);
  await lab.timer.pass(1);
  assert.equal(lab.orders.length, 1);
});

test("the time that a backend announces is its own", async () => {
  await using lab = await open(3);
  await lab.backendFor();
  await lab.timer.pass(2_999);
  assert.equal(lab.orders.length, 0);
  await lab.timer.pass(1);
  assert.equal(lab.orders.length, 1);
});

test("a backend with a short time is asked in time, whatever the others announce", async () => {
  await using lab = await Supervised.open((request) =>
    launchedOf(request.key.version === "2.0.0" ? 1 : 60)(request)
  );
  await lab.backendFor("1.2.3");
  await lab.timer.pass(500);
  await lab.backendFor("2.0.0");
  await lab.timer.pass(1_000);
  assert.deepEqual(lab.orders.map(({ backend }) => backend.key.version), ["2.0.0"]);
});

test("a Hello that comes while a backend is asked waits, and gets another one when it ends", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(10_000);
  let isRouted = false;
  const hellos = [lab.backendFor(), lab.backendFor()];
  void hellos[0]!.then(() => isRouted = true);
  await lab.timer.pass(0);
  assert.equal(isRouted, false);
  await lab.settle(answered(true));
  for (const hello of hellos) assert.notEqual(await hello, backend);
});

test("a Hello that comes while a backend is asked gets that backend when it goes on", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(10_000);
  const hello = lab.backendFor();
  await lab.settle(answered(false, 2, "it has connections"));
  assert.equal(await hello, backend);
  assert.equal(lab.launches.length, 1);
});

test("while one backend is asked, Hellos for another one do not wait", async () => {
  await using lab = await open();
  await lab.backendFor("1.2.3");
  await lab.timer.pass(5_000);
  const other = await lab.backendFor("2.0.0");
  await lab.timer.pass(5_000);
  assert.equal(lab.orders.length, 1);
  assert.equal(await lab.backendFor("2.0.0"), other);
});

test("a backend that is held stays listed for operators", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(10_000);
  assert.deepEqual(lab.registry.list(), [backend]);
  assert.deepEqual(lab.registry.find(backend.key), {});
});

test("a backend that has connections, or did not answer, goes on and is asked again; that is told once", async () => {
  const outcomes = [
    [answered(false, 2, "it has connections"), "connections open: 2"],
    [answered(false, 0, "not now"), "not now"],
    [{ kind: "timeout" }, "it did not answer in time"],
    [{ kind: "failed", detail: "process 9 serves its endpoint" }, "process 9 serves its endpoint"],
  ] as const;
  for (const [outcome, detail] of outcomes) {
    await using lab = await open();
    const backend = await lab.backendFor();
    for (let round = 1; round <= 3; round++) {
      await lab.timer.pass(10_000);
      assert.equal(lab.orders.length, round, detail);
      await lab.settle(outcome);
    }
    assert.equal(await lab.backendFor(), backend);
    const { service, version } = backend.key;
    assert.deepEqual(lab.events, [{ kind: "backend-kept", service, version, pid: 101, detail }]);
    assert.deepEqual(lab.seenToEnd, []);
  }
});

test("a backend that knows no orders lives on and is not asked again", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(10_000);
  await lab.settle({ kind: "not-understood", detail: "it hung up" });
  assert.equal(await lab.backendFor(), backend);
  await lab.timer.pass(100_000);
  assert.equal(lab.orders.length, 1);
  assert.deepEqual(lab.kinds, ["backend-kept"]);
  assert.equal(lab.timer.waiting, 0);
});

test("a backend whose endpoint nobody serves any more, or that has ended meanwhile, gets no Hello", async () => {
  for (const isDead of [true, false]) {
    await using lab = await open();
    const backend = await lab.backendFor();
    await lab.timer.pass(10_000);
    if (isDead) lab.dead.add(backend);
    await lab.settle(isDead ? { kind: "timeout" } : { kind: "unreachable", detail: "ECONNREFUSED" });
    assert.deepEqual(lab.kinds, ["backend-lost"]);
    assert.notEqual(await lab.backendFor(), backend);
  }
});

test("a backend that let somebody in at the last moment is not seen to its end", async () => {
  await using lab = await open();
  await lab.backendFor();
  await lab.timer.pass(10_000);
  await lab.settle(answered(true, 1));
  assert.deepEqual(lab.kinds, ["backend-idle-ended"]);
  assert.deepEqual([lab.registry.list(), lab.seenToEnd], [[], []]);
});

test("a backend that was replaced or removed meanwhile is not asked", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  lab.registry.remove(backend);
  await lab.timer.pass(50_000);
  assert.deepEqual([lab.orders.length, lab.timer.waiting], [0, 0]);
});

test("backends that were there before are supervised once they are told of", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(9_000);
  lab.supervisor.routed(backend);
  await lab.timer.pass(9_999);
  assert.equal(lab.orders.length, 0);
  await lab.timer.pass(1);
  assert.equal(lab.orders.length, 1);
});

test("a broker that stops asks nobody, and leaves no timer", async () => {
  await using lab = await open();
  await lab.backendFor();
  lab.abort.abort(new Error("stops"));
  assert.equal(lab.timer.waiting, 0);
  await lab.timer.pass(50_000);
  assert.deepEqual([lab.orders.length, lab.kinds], [0, []]);
});

test("a broker that stops while it asks lets the Hellos that wait go on", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  await lab.timer.pass(10_000);
  const hello = lab.backendFor();
  const reason = new Error("stops");
  lab.abort.abort(reason);
  lab.orders[0]!.outcome.reject(reason);
  assert.equal(await hello, backend);
  assert.equal(lab.timer.waiting, 0);
});

test("holding() lets one act at a time at a backend, keeps Hellos off meanwhile, and passes its failure on", async () => {
  await using lab = await open();
  const backend = await lab.backendFor();
  const acts: string[] = [];
  let finish!: () => void;
  const first = lab.supervisor.holding(backend, async () => {
    acts.push("first");
    await new Promise<void>((resolve) => finish = resolve);
    throw new Error("no luck");
  });
  const second = lab.supervisor.holding(backend, () => Promise.resolve(acts.push("second")));
  const hello = lab.backendFor();
  await lab.timer.pass(0);
  assert.deepEqual(acts, ["first"]);
  finish();
  await assert.rejects(first, /no luck/);
  assert.equal(await second, 2);
  assert.equal(await hello, backend);
});

test("an idle backend that has to wait for another act is not asked when that one, or a Hello, has changed things", async () => {
  for (const change of ["Hello", "removal"]) {
    await using lab = await open();
    const backend = await lab.backendFor();
    let finish!: () => void;
    const act = lab.supervisor.holding(backend, () => new Promise<void>((resolve) => finish = resolve));
    await lab.timer.pass(10_000);
    if (change === "Hello") lab.supervisor.routed(backend);
    else lab.registry.remove(backend);
    finish();
    await act;
    await lab.timer.pass(0);
    assert.equal(lab.orders.length, 0, change);
  }
});
