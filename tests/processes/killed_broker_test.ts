// run-in: deno
import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import test from "node:test";
import { echo, killIfRunning, LaunchLab, scriptDefinition } from "../interop/_launch_lab.ts";
import { untilEnded } from "../support/process_end.ts";
import type { Runtime } from "../support/runtimes.ts";

/** Who follows whom: each runtime launches, adopts, and is the backend once. */
const SUCCESSIONS: readonly (readonly [first: Runtime, second: Runtime, backend: Runtime])[] = [
  ["deno", "bun", "node20"],
  ["bun", "node20", "deno"],
  ["node20", "deno", "bun"],
];

for (const [first, second, backend] of SUCCESSIONS) {
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    test(`a backend in ${backend} outlives its broker in ${first} (${signal}) and is adopted by one in ${second}`, async () => {
      await using lab = await LaunchLab.open(scriptDefinition(backend), first);
      await using held = await lab.connect();
      assert.equal(await echo(held, "before"), "before");
      assert.equal(held.route, "handle-passed");
      const [pid] = lab.starts;
      await lab.replaceBroker(second, signal);
      assert.equal(await echo(held, "still there"), "still there");
      assert.deepEqual(lab.events("backend-adopted").map((event) => event["pid"]), [pid]);

      for (let round = 0; round < 3; round++) await assertServed(lab, "broker-negotiated");
      assert.deepEqual(lab.starts, [pid]);
      assert.deepEqual(lab.events("connection-passed"), []);
      assert.equal(lab.events("hello").some((event) => event["handoffAnnounced"] === true), false);

      killIfRunning(pid!);
      await untilEnded(pid!);
      await assertServed(lab, "handle-passed");
      assert.equal(lab.starts.length, 2);
      assert.equal(lab.events("backend-launched").length, 1);
      assert.equal(sockets(lab).length, 2);
    });
  }
}

test("a record of a backend that ended without a broker goes, and its sockets with it", async () => {
  await using lab = await LaunchLab.open(scriptDefinition("bun"));
  await assertServed(lab, "handle-passed");
  const records = lab.dir.join("br.sock.backends");
  assert.equal(statSync(records).mode & 0o777, 0o700);
  const [name] = readdirSync(records);
  assert.equal(statSync(`${records}/${name}`).mode & 0o777, 0o600);
  writeFileSync(`${records}/0123456789abcdef.json`, "no record");
  lab.broker.killGroup();
  await lab.broker.exit;
  killIfRunning(lab.starts[0]!);
  await untilEnded(lab.starts[0]!);
  assert.equal(sockets(lab).length, 2);
  await lab.replaceBroker("bun");
  assert.deepEqual(readdirSync(records), []);
  assert.deepEqual(sockets(lab), []);
  assert.equal(lab.events("backend-record-stale").length, 2);
  assert.deepEqual(lab.events("backend-adopted"), []);
});

async function assertServed(lab: LaunchLab, route: string): Promise<void> {
  await using session = await lab.connect();
  assert.equal(await echo(session, "hello"), "hello");
  assert.equal(session.route, route);
}

function sockets(lab: LaunchLab): string[] {
  return readdirSync(lab.dir.join("running-process", "broker")).filter((name) => name.endsWith(".sock"));
}
