// run-in: deno
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import test from "node:test";
import { projectRoot } from "../support/project.ts";
import { startTopology } from "../support/topology.ts";

/** Where examples stand: the first page and the modules behind the public entry. */
const DOCUMENTED = ["README.md", "mod.ts", "src"];
const DEADLINE_MS = 120_000;

test("every example in README and docstrings runs against a live broker and backend", async () => {
  await using topology = await startTopology({ broker: "deno", backend: "deno", quiet: true });
  const { code, output } = await runExamples({ MY_BROKER_SOCKET: topology.brokerEndpoint });
  assert.equal(code, 0, output);
  const passed = Number(/(\d+) passed/.exec(output)?.[1] ?? 0);
  assert.ok(passed >= 4, `Only ${passed} examples ran:\n${output}`);
});

function runExamples(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const args = ["test", "-A", "--no-check", "--doc", ...DOCUMENTED];
  const child = spawn(process.execPath, args, {
    cwd: projectRoot,
    env: { ...process.env, NO_COLOR: "1", ...env },
    timeout: DEADLINE_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output += chunk);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}
