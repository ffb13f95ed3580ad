import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { requireServed, startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { leaveStaleSocket } from "../faults/stale_socket.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { runCli } from "./_run_cli.ts";

interface Check {
  readonly check: string;
  readonly status: string;
  readonly detail: string;
}

/** Folders of a user on whose host nothing runs. */
function own(dir: TempDir, variables: Record<string, string> = {}): Record<string, string> {
  return {
    HOME: dir.path,
    XDG_RUNTIME_DIR: dir.path,
    XDG_CONFIG_HOME: dir.join("config"),
    XDG_STATE_HOME: dir.join("state"),
    INVOCATION_ID: "",
    ...variables,
  };
}

async function examine(args: readonly string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await runCli(["doctor", "--json", ...args], env);
  assert.equal(stderr, "");
  const report = JSON.parse(stdout) as { checks: Check[]; exit_code: number; command: string };
  assert.deepEqual([report.command, report.exit_code], ["doctor", code]);
  return { code, check: (name: string) => report.checks.find((each) => each.check === name)! };
}

test("doctor finds nothing wrong with a host on which nothing runs", async () => {
  await using dir = await makeTempDir();
  const { code, check } = await examine([], own(dir));
  assert.equal(code, 0);
  assert.deepEqual(
    [check("broker:endpoint").status, check("servicedef:dir").status, check("sockets:runtime-dir").status],
    ["WARN", "WARN", "PASS"],
  );
});

test("doctor prints a line for each check and a summary", async () => {
  await using dir = await makeTempDir();
  const { code, stdout } = await runCli(["doctor"], own(dir));
  const lines = stdout.trimEnd().split("\n");
  const summary = /^doctor: (\d+) checks — (\d+) pass, (\d+) warn, 0 fail$/.exec(lines.pop()!);
  assert.ok(summary !== null, stdout);
  assert.deepEqual([code, Number(summary[1])], [0, lines.length]);
  for (const line of lines) assert.match(line, /^(PASS|WARN) {2}[\w:.-]+ +\S/);
});

test("doctor --socket asks a live broker, which serves on as before", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend);
  await using dir = await makeTempDir();
  const args = ["--socket", broker.endpoint, "--service-def-dir", backend.definitions];
  for (let round = 0; round < 2; round++) {
    const { code, check } = await examine(args, own(dir));
    assert.equal(code, 0);
    assert.equal(check("broker:endpoint").status, "PASS");
    assert.match(check("broker:endpoint").detail, /broker listening at .*protocol v1.*ErrorServiceUnknown/);
    assert.equal(check("servicedef:my-daemon.servicedef").status, "PASS");
  }
  assert.equal(await requireServed(broker), "handle-passed");
});

test("doctor fails a directory of definitions that others may write to, and exits with 1", async () => {
  await using dir = await makeTempDir();
  const folder = dir.join("services");
  const install = ["servicedef", "install", "--service", "my-daemon", "--binary-path", "/usr/bin/my-daemon"];
  assert.equal((await runCli([...install, "--service-def-dir", folder])).code, 0);
  const good = await examine(["--service-def-dir", folder], own(dir));
  assert.deepEqual([good.code, good.check("servicedef:my-daemon.servicedef").status], [0, "PASS"]);
  chmodSync(folder, 0o777);
  const bad = await examine(["--service-def-dir", folder], own(dir));
  assert.deepEqual([bad.code, bad.check("servicedef:dir").status], [1, "FAIL"]);
  assert.match(bad.check("servicedef:dir").detail, /insecure permissions/);
});

test("doctor counts stale sockets, keeps them, and tells them from live ones", async () => {
  await using dir = await makeTempDir();
  await using backend = await startLocalBackend();
  const folder = dir.join("running-process", "broker");
  await using _broker = await startLocalBroker(backend, { endpoint: `${folder}/live.sock` });
  writeFileSync(`${folder}/unrelated.txt`, "");
  await leaveStaleSocket(`${folder}/stale.sock`);
  for (let round = 0; round < 2; round++) {
    const { check } = await examine([], own(dir));
    assert.equal(check("sockets:runtime-dir").status, "WARN");
    assert.match(check("sockets:runtime-dir").detail, /1 of 2 sockets are stale .*stale\.sock/);
  }
});

test("doctor exits with 1 for a variable that every client refuses", async () => {
  await using dir = await makeTempDir();
  const { code, check } = await examine([], own(dir, { RUNNING_PROCESS_DISABLE: "true" }));
  assert.deepEqual([code, check("env:RUNNING_PROCESS_DISABLE").status], [1, "FAIL"]);
});

test("doctor wants a value for --service-def-dir", async () => {
  const { code, stderr } = await runCli(["doctor", "--service-def-dir"]);
  assert.equal(code, 2);
  assert.match(stderr, /--service-def-dir needs a value/);
});
