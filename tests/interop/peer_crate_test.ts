// run-in: deno
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { buildPeer, peerFolderName, peerSources, peerVersions } from "./_peer_crate.ts";

test("buildPeer() says which program is missing", async () => {
  await using cache = await makeTempDir();
  const options = { cacheFolder: cache.path, cargo: "cargo-that-is-missing" };
  await assert.rejects(buildPeer("4.5.7", options), /cannot start "cargo-that-is-missing"/);
});

test("buildPeer() passes on what cargo says when it fails, and builds again the next time", async () => {
  await using cache = await makeTempDir();
  const failing = fakeCargo(cache, "echo no such crate >&2; exit 101");
  const options = { cacheFolder: cache.path, cargo: failing };
  await assert.rejects(buildPeer("4.5.7", options), /ended with 101\nno such crate/);
  await buildPeer("4.5.7", { ...options, cargo: fakeCargo(cache, MAKE_PROGRAMS) });
});

test("buildPeer() does not take a build for done that lacks a program", async () => {
  await using cache = await makeTempDir();
  const idle = fakeCargo(cache, "exit 0");
  await assert.rejects(buildPeer("4.5.7", { cacheFolder: cache.path, cargo: idle }), /left a program out/);
});

test("buildPeer() builds each version once, also when it is asked twice at once", async () => {
  await using cache = await makeTempDir();
  const log = cache.join("log");
  const options = {
    cacheFolder: cache.path,
    cargo: fakeCargo(cache, `echo "$*" >> ${log}; ${MAKE_PROGRAMS}`),
  };
  const [one, other] = await Promise.all([buildPeer("4.10.21", options), buildPeer("4.10.21", options)]);
  assert.deepEqual(one, other);
  const builds = () => readFileSync(log, "utf8").trimEnd().split("\n");
  const before = builds().length;
  assert.deepEqual(await buildPeer("4.10.21", options), one);
  assert.equal(builds().length, before, "built already");
  const second = await buildPeer("4.5.7", options);
  assert.equal(builds().length, before + 1);
  assert.notEqual(second.client, one.client);
  for (const program of [one.client, one.broker, one.backend, one.files]) {
    assert.ok(existsSync(program), program);
  }
  assert.match(builds()[0]!, /^build --release --locked --manifest-path .* --features rp410$/);
});

test("the sources of each version pin that version and no other", () => {
  for (const version of peerVersions) {
    const sources = peerSources(version);
    assert.match(sources.get("Cargo.toml")!, new RegExp(`running-process = \\{ version = "=${version}"`));
    const locked = /name = "running-process"\nversion = "([^"]+)"/.exec(sources.get("Cargo.lock")!);
    assert.equal(locked?.[1], version);
    assert.ok(sources.has("src/bin/peer-broker.rs"));
  }
});

test("a change of any source changes the folder's name", () => {
  const sources = peerSources("4.5.7");
  const names = [...sources.keys()].map((path) => {
    return peerFolderName("4.5.7", new Map([...sources, [path, `${sources.get(path)} `]]));
  });
  assert.equal(new Set([...names, peerFolderName("4.5.7", sources)]).size, sources.size + 1);
});

const MAKE_PROGRAMS = 'mkdir -p "$CARGO_TARGET_DIR/release"; cd "$CARGO_TARGET_DIR/release"; ' +
  "touch peer-client peer-broker peer-backend peer-files peer-bench";

function fakeCargo(folder: TempDir, script: string): string {
  const path = folder.join(`cargo-${script.length}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  return path;
}
