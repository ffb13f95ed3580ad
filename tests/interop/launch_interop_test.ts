// run-in: deno
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readlinkSync, statSync, truncateSync } from "node:fs";
import process from "node:process";
import { BrokerClientError, connectToBackend } from "@running-process/broker";
import { SERVICE, VERSION } from "../support/topology.ts";
import { defineRustService } from "./_definitions.ts";
import { quirkTest } from "./_quirks.ts";

/**
 * 4.5.7 looks at a child before it runs its program, unless there is a lot to hash first: with so many bytes
 * behind the program's end 40 of 40 launches went well.
 */
const PADDING_BYTES = 96 * 1024 * 1024;
/** What the reference allows in 30 s. */
const LAUNCHES_MAX = 3;

quirkTest("launch-never-hands-over", async (lab) => {
  const folder = await lab.newFolder();
  const program = `${folder}/peer-backend`;
  copyFileSync(lab.crate.backend, program);
  if (lab.crate.version === "4.5.7") truncateSync(program, statSync(program).size + PADDING_BYTES);
  const definitions = await lab.newFolder();
  await defineRustService(lab, definitions, program, folder);
  const endpoint = lab.newPath("br.sock");
  const args = ["launch", "--socket", endpoint, "--dir", definitions];
  // The launched backend's socket goes where the test's other files are.
  await lab.start({ command: lab.crate.broker, args, env: { XDG_RUNTIME_DIR: lab.dir.path } }, "listening");
  try {
    const first = await connectToLaunched(endpoint);
    const second = await connectToLaunched(endpoint);
    const wanted = ["broker-negotiated", "the broker closed the connection", 16, "Z"];
    assert.deepEqual([first.outcome, second.outcome], [wanted, wanted]);
    assert.equal(second.backend, first.backend, "launched once");
  } finally {
    endProcessesOf(program);
  }
});

async function connectToLaunched(broker: string, launchesLeft: number = LAUNCHES_MAX) {
  const options = { service: SERVICE, version: VERSION, broker, adoptHandedOffConnection: true };
  try {
    await using session = await connectToBackend(options);
    await session.stream.write(new TextEncoder().encode("Z"));
    const echo = new TextDecoder().decode(await session.stream.read() ?? undefined);
    const outcome = [session.route, session.handoffFallback, session.handoffToken?.length, echo];
    return { outcome, backend: session.endpoint };
  } catch (error) {
    const isRefused = error instanceof BrokerClientError && error.kind === "Refused";
    if (!isRefused || launchesLeft === 1) throw error;
    return await connectToLaunched(broker, launchesLeft - 1);
  }
}

/** A launched backend is a child of nobody here: it is found by its program, which only this test has. */
function endProcessesOf(program: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (programOf(pid) === program) process.kill(Number(pid), "SIGKILL");
  }
}

function programOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It has ended, or is a process of the kernel's.
    return undefined;
  }
}
