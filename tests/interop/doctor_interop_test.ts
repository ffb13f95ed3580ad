// run-in: deno
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import test from "node:test";
import { runCli } from "../cli/_run_cli.ts";
import { Lab } from "./_lab.ts";
import { startBackend, startBroker, takeRoute } from "./_parts.ts";
import { peerVersions } from "./_peer_crate.ts";

const ROUNDS = 3;

for (const version of peerVersions) {
  test(`doctor asks a broker of the reference ${version} by both of its checks, and it serves on`, async () => {
    await using lab = await Lab.open(version);
    const backend = await startBackend(lab, "rust");
    const broker = await startBroker(lab, "rust", backend);
    // The broker is found in the directory of sockets as well, where every release has others look.
    const folder = lab.dir.join("runtime", "running-process", "broker");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    symlinkSync(broker.endpoint, `${folder}/broker.sock`);
    const env = { XDG_RUNTIME_DIR: lab.dir.join("runtime"), HOME: lab.dir.path };
    for (let round = 0; round < ROUNDS; round++) {
      const { stdout } = await runCli(["doctor", "--json", "--socket", broker.endpoint], env);
      const { checks } = JSON.parse(stdout) as {
        checks: { check: string; status: string; detail: string }[];
      };
      const found = (name: string) => checks.find(({ check }) => check === name)!;
      assert.equal(found("broker:endpoint").status, "PASS", found("broker:endpoint").detail);
      assert.match(found("broker:endpoint").detail, /protocol v1\.\.v1, .*ErrorServiceUnknown/);
      assert.equal(found("sockets:runtime-dir").status, "PASS", found("sockets:runtime-dir").detail);
      assert.match(found("sockets:runtime-dir").detail, /1 sockets, none stale/);
    }
    await takeRoute(lab, "deno", broker, "reconnect");
  });
}
