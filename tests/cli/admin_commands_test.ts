import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { adminQuestion } from "../../src/cli/admin_question.ts";
import { CommandLine } from "../../src/cli/command_line.ts";
import { exitCodeOf } from "../../src/cli/exit_code.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { SERVICE } from "../support/topology.ts";
import { startAdminStub } from "./_admin_stub.ts";
import { runCli } from "./_run_cli.ts";

const NOTHING = { json: false, serviceName: "", outputPath: "" };

const QUESTIONS: readonly (readonly [string, ReturnType<typeof adminQuestion>])[] = [
  ["status", { ...NOTHING, verb: AdminVerb.STATUS }],
  ["status --verbose --json", { ...NOTHING, verb: AdminVerb.STATUS, json: true }],
  ["dump", { ...NOTHING, verb: AdminVerb.DUMP, json: true }],
  ["list-instances --json", { ...NOTHING, verb: AdminVerb.LIST_INSTANCES, json: true }],
  ["healthz", { ...NOTHING, verb: AdminVerb.HEALTHZ }],
  ["readyz", { ...NOTHING, verb: AdminVerb.READYZ }],
  ["backend-health", { ...NOTHING, verb: AdminVerb.BACKEND_HEALTH, json: true, serviceName: "unknown" }],
  ["backend-health --json a b", { ...NOTHING, verb: AdminVerb.BACKEND_HEALTH, json: true, serviceName: "a" }],
  ["config --effective --json", { ...NOTHING, verb: AdminVerb.CONFIG, json: true }],
  ["diagnose", { ...NOTHING, verb: AdminVerb.DIAGNOSE, json: true, outputPath: "bundle.tar.gz" }],
  ["diagnose --output a --output b", { ...NOTHING, verb: AdminVerb.DIAGNOSE, json: true, outputPath: "a" }],
  ["metrics", { ...NOTHING, verb: AdminVerb.METRICS }],
  ["shutdown", undefined],
  ["--json status", undefined],
];

for (const [command, wanted] of QUESTIONS) {
  test(`adminQuestion() of "${command}"`, () => {
    assert.deepEqual(adminQuestion(new CommandLine(command.split(" "))), wanted);
  });
}

test("exitCodeOf() keeps what a process can exit with, and makes the rest a failure", () => {
  assert.deepEqual([0, 1, 2, 255, 256, 4_294_967_295].map(exitCodeOf), [0, 1, 2, 255, 1, 1]);
});

describe("the command line without an endpoint", () => {
  test("is a broker called local that does not serve", async () => {
    const status = await runCli(["status"]);
    assert.deepEqual(status, {
      code: 0,
      stdout: "broker_instance: local\naccepting_hello: false\n",
      stderr: "",
    });
    assert.deepEqual(await runCli(["readyz"]), { code: 1, stdout: "not ready\n", stderr: "" });
    assert.deepEqual(await runCli(["healthz"]), { code: 0, stdout: "ok\n", stderr: "" });
  });

  test("prints status in one line of JSON, its host's facts in it", async () => {
    const { code, stdout } = await runCli(["status", "--json"]);
    assert.equal(code, 0);
    assert.match(stdout, /^\{"accepting_hello":false,.*"schema_version":1,"uptime_seconds":0\.0\}\n$/);
    const { inode_pressure, broker_instance, backends } = JSON.parse(stdout);
    assert.deepEqual([inode_pressure.supported, broker_instance, backends], [true, "local", []]);
  });

  test("names the directory of definitions that the environment gives", async () => {
    const { stdout } = await runCli(["config"], { RUNNING_PROCESS_SERVICE_DEF_DIR: "/srv/defs" });
    const { source, value } = JSON.parse(stdout).values.paths.service_definition_dir;
    assert.deepEqual([source, value], ["env:RUNNING_PROCESS_SERVICE_DEF_DIR", "/srv/defs"]);
  });

  test("prints metrics without samples that have labels", async () => {
    const { code, stdout } = await runCli(["metrics"]);
    assert.equal(code, 0);
    assert.equal(stdout.split("\n").filter((line) => line.includes("{")).length, 0);
    assert.match(stdout, /\nrunning_process_broker_v1_connections_open 0\n/);
    assert.match(stdout, /\n# EOF\n$/);
  });
});

describe("the command line with an endpoint", () => {
  test("prints a body as it is, and exits with the reply's code", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    await using stub = await startAdminStub(endpoint, { body: "two\n\nlines \u{1f680}\n", exitCode: 7 });
    const { code, stdout, stderr } = await runCli(["backend-health", SERVICE, "--socket", endpoint]);
    assert.deepEqual([code, stdout, stderr], [7, "two\n\nlines \u{1f680}\n", ""]);
    const [request] = stub.asked;
    assert.deepEqual(
      [request?.verb, request?.json, request?.serviceName, request?.outputPath],
      [AdminVerb.BACKEND_HEALTH, true, SERVICE, ""],
    );
  });

  test("ends a body with a line end, and only then; no pipe is too short for it", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    const body = "0123456789abcdef".repeat(65_536);
    await using _stub = await startAdminStub(endpoint, { body });
    const { code, stdout } = await runCli(["dump"], { RUNNING_PROCESS_BROKER_V1_SOCKET: endpoint });
    assert.equal(code, 0);
    assert.equal(stdout.length, body.length + 1);
    assert.ok(stdout === `${body}\n`);
  });

  test("says which broker could not be asked, and exits with 1", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join('no"body.sock');
    const { code, stdout, stderr } = await runCli(["healthz", "--socket", endpoint]);
    assert.deepEqual([code, stdout], [1, ""]);
    const named = `admin request to "${endpoint.replace('"', '\\"')}" failed: `;
    assert.ok(stderr.startsWith(named), stderr);
    assert.match(stderr.slice(named.length), /^Cannot connect to .*ENOENT.*\n$/);
  });

  test("hears from a running broker", async () => {
    await using backend = await startLocalBackend();
    await using broker = await startLocalBroker(backend);
    const ask = (...args: string[]) => runCli(["--socket", broker.endpoint, ...args]);
    assert.deepEqual(await ask("readyz"), { code: 0, stdout: "ready\n", stderr: "" });
    const health = await ask("backend-health", SERVICE, "--json");
    assert.equal(JSON.parse(health.stdout).backends[0].state, "running");
    assert.deepEqual((await ask("status")).stdout, "broker_instance: shared\naccepting_hello: true\n");
  });
});
