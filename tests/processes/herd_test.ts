// run-in: deno
// deadline-s: 900
import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { echo, LaunchLab, scriptDefinition } from "../interop/_launch_lab.ts";
import type { Runtime } from "../support/runtimes.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
const HERD = 100;
const ROUNDS = process.env["RP_TEST_SCALE"] === "10" ? 100 : 10;

for (const [index, broker] of RUNTIMES.entries()) {
  const rounds = Math.ceil(ROUNDS / RUNTIMES.length);

  test(`${HERD} first Hellos at once to a new broker in ${broker} are all served by one backend, ${rounds} times`, async () => {
    for (let round = 0; round < rounds; round++) {
      await using lab = await LaunchLab.open(backendOf(index + round), broker);
      await assertHerdServed(lab);
      assert.equal(lab.starts.length, 1, `round ${round}`);
    }
  });

  test(`the same in ${broker} when the backend crashes on its first start, ${rounds} times`, async () => {
    for (let round = 0; round < rounds; round++) {
      await using lab = await LaunchLab.open(backendOf(index + round), broker);
      lab.crash("next", "not this time");
      await assertHerdServed(lab);
      assert.equal(lab.starts.length, 2, `round ${round}`);
      assert.equal(lab.events("backend-launch-failed").length, 1, `round ${round}`);
    }
  });
}

function backendOf(round: number) {
  return scriptDefinition(RUNTIMES[round % RUNTIMES.length]!);
}

async function assertHerdServed(lab: LaunchLab): Promise<void> {
  const served = await Promise.all(Array.from({ length: HERD }, async (_, index) => {
    await using session = await lab.connect();
    return await echo(session, `client ${index}`) === `client ${index}`;
  }));
  assert.equal(served.filter(Boolean).length, HERD);
  assert.equal(lab.events("backend-launched").length, 1);
}
