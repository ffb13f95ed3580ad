import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { writeManifestToCentral } from "../../src/service/manifest_registry.ts";
import { CacheManifestSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { SERVICE } from "../support/topology.ts";
import { startAdminStub } from "./_admin_stub.ts";
import { runCli } from "./_run_cli.ts";

function extract(archive: string, dir: TempDir): (path: string) => string {
  const folder = dir.join("extracted");
  mkdirSync(folder);
  execFileSync("tar", ["xzf", archive, "-C", folder]);
  return (path) => readFileSync(`${folder}/${path}`, "utf8");
}

function homeOf(dir: TempDir): Record<string, string> {
  const folders = {
    XDG_DATA_HOME: dir.join("data"),
    XDG_CONFIG_HOME: dir.join("config"),
    XDG_STATE_HOME: dir.join("state"),
  };
  // A runtime may keep a cache in the home directory: what is asked for goes elsewhere.
  return { HOME: dir.path, ...folders, RUNNING_PROCESS_EXAMPLE_TOKEN: "very-secret" };
}

describe("diagnose without --output", () => {
  test("prints what a bundle would hold, and writes none", async () => {
    await using home = await makeTempDir();
    const { code, stdout } = await runCli(["diagnose"], homeOf(home));
    const { bundle, output } = JSON.parse(stdout);
    assert.deepEqual([code, output, bundle.created, bundle.mode], [
      0,
      "bundle.tar.gz",
      false,
      "metadata-only",
    ]);
    assert.ok(!existsSync(output) && !existsSync(home.join(output)));
  });

  test("prints a broker's own answer as it is", async () => {
    await using dir = await makeTempDir();
    await using stub = await startAdminStub(dir.join("br.sock"), { body: "its own words", exitCode: 3 });
    const run = await runCli(["diagnose", "--socket", dir.join("br.sock")]);
    assert.deepEqual([run.code, run.stdout, stub.asked.length], [3, "its own words\n", 1]);
  });
});

describe("diagnose --output", () => {
  test("writes what this host says by itself, and prints the description of it", async () => {
    await using dir = await makeTempDir();
    mkdirSync(dir.join("out"));
    const output = dir.join("out", "bundle.tar.gz");
    const { code, stdout, stderr } = await runCli(["diagnose", "--output", output], homeOf(dir));
    assert.deepEqual([code, stderr], [0, ""]);
    const said = JSON.parse(stdout);
    assert.deepEqual([said.output, said.bundle.created, said.bundle.mode], [output, true, "archive"]);
    assert.equal(statSync(output).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dir.join("out")), ["bundle.tar.gz"]);
    const names = execFileSync("tar", ["tzf", output], { encoding: "utf8" }).trimEnd().split("\n");
    assert.deepEqual(names, said.files);
    const read = extract(output, dir);
    assert.equal(JSON.parse(read("admin/status.json")).broker_instance, "local");
    const { environment, uid } = JSON.parse(read("system/summary.json"));
    assert.deepEqual([environment.HOME, environment.RUNNING_PROCESS_EXAMPLE_TOKEN], ["~", "[redacted]"]);
    assert.match(uid, /^id-/);
    for (const name of names) {
      const text = read(name);
      assert.ok(!text.includes(dir.path) && !text.includes("very-secret"), name);
    }
  });

  test("writes what a running broker says, and the manifests of this host", async () => {
    await using backend = await startLocalBackend();
    await using broker = await startLocalBroker(backend);
    await using dir = await makeTempDir();
    const registry = dir.join("data", "running-process", "manifests");
    const manifest = create(CacheManifestSchema, { serviceName: SERVICE, serviceVersion: "1.2.3" });
    await writeManifestToCentral(registry, SERVICE, "1.2.3", manifest);
    const log = dir.join("state", "running-process", "events");
    mkdirSync(log, { recursive: true, mode: 0o700 });
    writeFileSync(`${log}/lifecycle.jsonl`, `{"kind":"SPAWN","extra":{"path":"${dir.path}/x"}}\n`);
    const output = dir.join("live.tar.gz");
    const args = ["--socket", broker.endpoint, "diagnose", "--output", output];
    const { code, stderr } = await runCli(args, homeOf(dir));
    assert.deepEqual([code, stderr], [0, ""]);
    const read = extract(output, dir);
    const { backends, record_count } = JSON.parse(read("process/backends.json"));
    assert.deepEqual([record_count, backends[0].service_name, backends[0].state], [1, SERVICE, "running"]);
    assert.equal(JSON.parse(read("admin/status.json")).accepting_hello, true);
    assert.equal(JSON.parse(read("admin/dump.json")).backend_table.length, 1);
    const [row] = JSON.parse(read("manifest/backend-manifests.json")).manifests;
    assert.equal(row.manifest.service_name, SERVICE);
    assert.match(row.path, /^~\/data\//);
    assert.equal(read("events/lifecycle.jsonl"), '{"extra":{"path":"~/x"},"kind":"SPAWN"}\n');
    assert.match(read("metrics/openmetrics.txt"), /# EOF\n$/);
  });

  test("replaces nothing, and says what to do about it", async () => {
    await using dir = await makeTempDir();
    const output = dir.join("mine");
    writeFileSync(output, "precious");
    const { code, stdout, stderr } = await runCli(["diagnose", "--output", output], homeOf(dir));
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      `diagnose failed: Cannot write "${output}": it exists already; choose another name or remove it\n`,
    );
    assert.equal(readFileSync(output, "utf8"), "precious");
  });

  test("writes nothing when the broker cannot be asked, does not answer in JSON or does not know the verb", async () => {
    await using dir = await makeTempDir();
    const output = dir.join("bundle.tar.gz");
    const ask = (socket: string) => runCli(["diagnose", "--socket", dir.join(socket), "--output", output]);
    const nobody = await ask("nobody.sock");
    assert.deepEqual([nobody.code, nobody.stdout], [1, ""]);
    assert.match(nobody.stderr, /^admin request to ".*nobody\.sock" failed: Cannot connect/);
    await using _words = await startAdminStub(dir.join("words.sock"), { body: "[]" });
    assert.match((await ask("words.sock")).stderr, /answer to diagnose is no JSON object/);
    await using _unknown = await startAdminStub(dir.join("unknown.sock"), { body: "?", exitCode: 2 });
    assert.match((await ask("unknown.sock")).stderr, /exit code 2/);
    assert.deepEqual(readdirSync(dir.path).filter((name) => !name.endsWith(".sock")), []);
  });

  test("without a value ends with 2 and the usage", async () => {
    const { code, stdout, stderr } = await runCli(["diagnose", "--output"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /--output needs a value\n\nusage: /);
  });
});
