// run-in: deno
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { echo, LaunchLab, scriptDefinition } from "../interop/_launch_lab.ts";
import type { Runtime } from "../support/runtimes.ts";
import type { StartedProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { defineService, isEvent, SERVICE, START_DEADLINE_MS, VERSION } from "../support/topology.ts";
import { until } from "../support/waiting.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
/** Long enough for a broker without a lock to start a second backend on an idle machine. */
const WATCH_MS = 500;

function countOf(broker: StartedProcess, kind: string): number {
  return broker.stdoutLines.filter(isEvent(kind)).length;
}

for (const [index, runtime] of RUNTIMES.entries()) {
  const other = RUNTIMES[(index + 1) % RUNTIMES.length]!;

  test(`a broker in ${other} starts nothing while one in ${runtime} starts the same, and both serve`, async () => {
    await using lab = await LaunchLab.open(scriptDefinition("bun"), runtime);
    const endpoint = lab.dir.join("second.sock");
    const options = { endpoint, serviceDefinitionDir: lab.dir.join("defs"), launch: true };
    await using second = await lab.startBroker(other, options);
    const hold = lab.hold();
    const first = assertServed(lab);
    await until("the first broker has started a backend", () => lab.starts.length === 1);
    const waiting = assertServed(lab, endpoint);
    await pause(WATCH_MS);
    assert.equal(lab.starts.length, 1);
    hold.release();
    await Promise.all([first, waiting]);
    // The second one uses what the first has started, unless it came so late that it did not have to wait.
    await until(
      "the second tells",
      () => countOf(second, "backend-adopted") + countOf(second, "backend-launched") === 1,
    );
    assert.equal(lab.starts.length, 1 + countOf(second, "backend-launched"));
  });

  test(`a broker in ${runtime} that is killed while it starts a backend keeps no other from starting one`, async () => {
    await using lab = await LaunchLab.open(scriptDefinition("bun"), runtime);
    const hold = lab.hold();
    const cut = assert.rejects(lab.connect());
    await until("a backend has started", () => lab.starts.length === 1);
    await lab.replaceBroker(other);
    await cut;
    const served = assertServed(lab);
    await until("another backend has started", () => lab.starts.length === 2);
    hold.release();
    await served;
    assert.equal(lab.starts.length, 2);
  });
}

test("a launched backend takes no handoff from a broker that did not launch it; its clients reconnect", async () => {
  await using lab = await LaunchLab.open(scriptDefinition("bun"));
  await using launched = await lab.connect();
  assert.equal(launched.route, "handle-passed");
  const [record] = await recordsOf(lab);
  const endpoint = lab.dir.join("stranger.sock");
  const backend = {
    service: SERVICE,
    version: VERSION,
    endpoint: record!["endpoint"],
    handoffEndpoint: record!["handoff_endpoint"],
  };
  await using dir = await makeTempDir();
  const serviceDefinitionDir = await defineService(dir, record!["executable"] as string);
  await using stranger = await lab.startBroker("deno", { endpoint, serviceDefinitionDir, backend });
  await using session = await lab.connect({ broker: endpoint });
  assert.equal(await echo(session, "hello"), "hello");
  assert.equal(session.route, "broker-negotiated");
  await stranger.waitForLine(isEvent("handoff-fallback"), { deadlineMs: START_DEADLINE_MS });
  assert.equal(countOf(stranger, "handoff-completed"), 0);
});

async function recordsOf(lab: LaunchLab): Promise<Record<string, unknown>[]> {
  const folder = lab.dir.join("br.sock.backends");
  const names = await readdir(folder);
  return await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(`${folder}/${name}`, "utf8"))),
  );
}

async function assertServed(lab: LaunchLab, broker?: string): Promise<void> {
  await using session = await lab.connect(broker === undefined ? {} : { broker });
  assert.equal(await echo(session, "hello"), "hello");
}

function pause(pauseMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}
