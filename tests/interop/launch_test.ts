// run-in: deno
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import test from "node:test";
import { AdminVerb, BrokerClientError, sendAdminRequest } from "@running-process/broker";
import type { Runtime } from "../support/runtimes.ts";
import { until } from "../support/waiting.ts";
import { buildPeer, peerVersions } from "./_peer_crate.ts";
import { echo, killIfRunning, LaunchLab, scriptDefinition } from "./_launch_lab.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
const HERD = 100;

test(`${HERD} first Hellos at once start one backend and are all served`, async () => {
  await using lab = await LaunchLab.open(scriptDefinition("deno"));
  const served = await Promise.all(Array.from({ length: HERD }, async (_, index) => {
    await using session = await lab.connect();
    assert.equal(await echo(session, `client ${index}`), `client ${index}`);
    return session.route;
  }));
  assert.deepEqual(new Set(served), new Set(["handle-passed"]));
  assert.equal(lab.starts.length, 1);
  assert.equal(lab.events("backend-launched").length, 1);
});

for (const broker of RUNTIMES) {
  for (const backend of RUNTIMES) {
    test(`a broker in ${broker} launches a script in ${backend}, and another when it was killed`, async () => {
      await using lab = await LaunchLab.open(scriptDefinition(backend), broker);
      const first = await launchedPid(lab);
      killIfRunning(first);
      // A process is not gone in the moment it is killed; the broker sees its end, and removes its sockets.
      await until("the killed one's sockets are gone", () => sockets(lab).length === 0);
      const second = await launchedPid(lab);
      assert.notEqual(second, first);
      assert.deepEqual(lab.starts, [first, second]);
      assert.equal(sockets(lab).length, 2);
    });
  }
}

/** One served client. @returns The process that serves it. */
async function launchedPid(lab: LaunchLab): Promise<number> {
  await using session = await lab.connect();
  assert.equal(await echo(session, "hello"), "hello");
  assert.equal(session.route, "handle-passed");
  return lab.starts.at(-1)!;
}

function sockets(lab: LaunchLab): string[] {
  return readdirSync(lab.dir.join("running-process", "broker")).filter((name) => name !== "locks");
}

test("a backend that ends at its start is reported with its stderr, and started again for who waits", async () => {
  await using lab = await LaunchLab.open(scriptDefinition("node20"));
  lab.crash("next", "cannot open the \u001b[31mcache\u001b[0m\n");
  await launchedPid(lab);
  assert.equal(lab.starts.length, 2);
  const details = lab.events("backend-launch-failed").map(({ detail }) => detail);
  assert.deepEqual(details, [
    "backend process exited with status 7 before it served its endpoint; stderr: cannot open the cache",
  ]);
  assert.equal(sockets(lab).length, 2);
});

test("a backend that keeps ending is started twice, once more for who asks again, then not before the window ends", async () => {
  await using lab = await LaunchLab.open(scriptDefinition("node20"));
  lab.crash("all", "no luck");
  for (const starts of [2, 3]) {
    const { code, reason, retryAfterMs } = await refusalOf(lab);
    assert.equal(code, 3);
    assert.match(reason, /^backend spawn failed: .* exited with status 7 .*; stderr: no luck$/);
    assert.ok(retryAfterMs > 1_000n && retryAfterMs <= 30_000n, String(retryAfterMs));
    assert.equal(lab.starts.length, starts);
    assert.deepEqual(sockets(lab), []);
  }
  const { code, reason, retryAfterMs } = await refusalOf(lab);
  assert.deepEqual({ code, reason }, { code: 4, reason: "backend spawn budget exhausted" });
  assert.ok(retryAfterMs > 1_000n && retryAfterMs <= 30_000n, String(retryAfterMs));
  assert.equal(lab.starts.length, 3);
});

async function refusalOf(lab: LaunchLab) {
  try {
    await using session = await lab.connect();
    assert.fail(`served by ${session.endpoint}`);
  } catch (error) {
    if (!(error instanceof BrokerClientError) || error.refusal === undefined) throw error;
    const { code, reason, retryAfterMs } = error.refusal;
    return { code, reason, retryAfterMs: BigInt(retryAfterMs) };
  }
}

for (const broker of RUNTIMES) {
  test(`a backend that a broker in ${broker} launched has its own session, no secret and no connection, and survives`, async () => {
    await using lab = await LaunchLab.open(scriptDefinition("node20"), broker, { MY_SECRET: "s3cret" });
    await Promise.all([launchedPid(lab), launchedPid(lab)]);
    const pid = lab.starts[0]!;
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, "latin1"), /MY_SECRET/);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    assert.equal(Number(session), pid);
    // Node opens none for itself: whatever is there came from the broker.
    assert.equal(readFileSync(lab.dir.join("sockets"), "utf8"), "");
    await using last = await lab.connect();
    lab.broker.killGroup();
    await lab.broker.exit;
    assert.equal(await echo(last, "still there"), "still there");
  });
}

test("--serve-launch launches, and calls itself launch to operators", async () => {
  await using lab = await LaunchLab.openCommand(scriptDefinition("node20"));
  const isServing = () => lab.broker.stderrTail.some((line) => line.includes("serving "));
  await until("the broker serves", isServing);
  await launchedPid(lab);
  const reply = await sendAdminRequest(lab.dir.join("br.sock"), { verb: AdminVerb.STATUS, json: true });
  const status = JSON.parse(reply.body) as { broker_instance?: string; backends?: unknown[] };
  assert.deepEqual([status.broker_instance, status.backends?.length], ["launch", 1], reply.body);
});

for (const version of peerVersions) {
  test(`a ${version} Rust backend that our broker launched is reached by reconnecting`, async () => {
    const { backend } = await buildPeer(version);
    const definition = { binaryPath: backend, perVersionBinaryDir: dirname(backend), labels: {} };
    await using lab = await LaunchLab.open(definition);
    await using session = await lab.connect();
    assert.equal(await echo(session, "Z"), "Z");
    assert.equal(session.route, "broker-negotiated");
  });
}
