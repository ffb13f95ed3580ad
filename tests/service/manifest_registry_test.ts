import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { hostIdentity } from "../../src/host/host_identity.ts";
import { directoryAccess } from "../../src/host/private_directory.ts";
import { CacheManifestBuilder } from "../../src/service/manifest_builder.ts";
import { ManifestError, type ManifestErrorKind } from "../../src/service/manifest_error.ts";
import { readManifest, writeManifest, writeManifestToRoot } from "../../src/service/manifest_file.ts";
import {
  centralManifestPath,
  enumerateCentral,
  scanCentral,
  writeManifestToCentral,
} from "../../src/service/manifest_registry.ts";
import { MANIFEST_MEDIA_TYPE } from "../../src/service/manifest_seal.ts";
import { CacheManifestSchema, CacheRootKind } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const isPosix = process.platform !== "win32";
const mode = (path: string) => statSync(path).mode & 0o777;

function isManifestError(kind: ManifestErrorKind, detail = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.detail, detail);
    return true;
  };
}

test("CacheManifestBuilder fills in host, times and versions, and seals", async () => {
  const manifest = await new CacheManifestBuilder("svc", "1.2.3", () => 77)
    .brokerInstance("shared").bundleId("bundle").root(CacheRootKind.CACHE_DATA, "/var/cache/svc").build();
  assert.equal(manifest.serviceName, "svc");
  assert.equal(manifest.serviceVersion, "1.2.3");
  assert.equal(manifest.brokerEnvelopeVersion, "v1");
  assert.deepEqual([manifest.createdAtUnixMs, manifest.lastActiveUnixMs], [77n, 77n]);
  assert.deepEqual([manifest.brokerInstance, manifest.bundleId], ["shared", "bundle"]);
  assert.equal(manifest.mediaType, MANIFEST_MEDIA_TYPE);
  assert.equal(manifest.manifestSchemaVersion, 1);
  assert.deepEqual(manifest.host, await hostIdentity());
  assert.deepEqual(manifest.roots.map(({ kind, path }) => [kind, path]), [[1, "/var/cache/svc"]]);
  assert.equal(manifest.selfSha256.length, 32);
});

test("writeManifestToRoot() makes the root private and is read back", async () => {
  await using dir = await makeTempDir();
  const manifest = await new CacheManifestBuilder("svc", "1.2.3").build();
  const path = await writeManifestToRoot(dir.join("cache", "root"), manifest);
  assert.equal(path, dir.join("cache", "root", ".running-process-manifest.pb"));
  assert.deepEqual(readdirSync(dir.join("cache", "root")), [".running-process-manifest.pb"]);
  assert.deepEqual(await readManifest(path), manifest);
  if (isPosix) assert.equal(mode(dir.join("cache", "root")), 0o700);
});

test("publishIn() makes the registry private and is enumerated", async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("registry"));
  chmodSync(dir.join("registry"), 0o755);
  const path = await new CacheManifestBuilder("svc", "1.2.3-rc.1").publishIn(dir.join("registry"));
  assert.equal(path, dir.join("registry", "svc-1.2.3-rc.1.pb"));
  if (isPosix) assert.deepEqual([mode(dir.join("registry")), mode(path)], [0o700, 0o600]);
  const found = await enumerateCentral(dir.join("registry"));
  assert.deepEqual(found.map(({ serviceName, serviceVersion }) => [serviceName, serviceVersion]), [
    ["svc", "1.2.3-rc.1"],
  ]);
});

test("writeManifestToCentral() does not write where a registry cannot be made private", async () => {
  await using dir = await makeTempDir();
  const access = { ...directoryAccess, isPrivate: () => Promise.resolve(false) };
  const write = writeManifestToCentral(dir.path, "svc", "1.0.0", create(CacheManifestSchema), access);
  await assert.rejects(write, isManifestError("InsecureRegistry"));
  assert.deepEqual(readdirSync(dir.path), []);
});

test("writeManifest() seals anew, so a changed manifest is genuine again", async () => {
  await using dir = await makeTempDir();
  const manifest = await new CacheManifestBuilder("svc", "1.2.3").build();
  await writeManifest(dir.join("m.pb"), { ...manifest, bundleId: "changed" });
  assert.equal((await readManifest(dir.join("m.pb"))).bundleId, "changed");
});

test("writeManifest() refuses a path without a parent", async () => {
  const manifest = create(CacheManifestSchema);
  for (const path of ["", "/"]) {
    const refused = isManifestError("MissingParent", /^manifest path has no parent: \/?$/);
    await assert.rejects(writeManifest(path, manifest), refused);
  }
});

test("writeManifest() that fails keeps the old file", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("m.pb");
  await writeManifest(path, create(CacheManifestSchema, { serviceName: "old" }));
  const before = readFileSync(path);
  const root = { path: "/c", labels: { a: "1", b: "2" } };
  await assert.rejects(
    writeManifest(path, create(CacheManifestSchema, { roots: [root] })),
    isManifestError("Encode"),
  );
  assert.deepEqual(readFileSync(path), before);
  assert.deepEqual(readdirSync(dir.path), ["m.pb"]);
  await assert.rejects(writeManifest(`${path}/below`, create(CacheManifestSchema)), isManifestError("Io"));
});

test("a reader never sees half a manifest while it is replaced", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("m.pb");
  const variants = ["", "b".repeat(9000)].map((bundleId) => create(CacheManifestSchema, { bundleId }));
  await writeManifest(path, variants[0]!);
  let isDone = false;
  let reads = 0;
  const reader = (async () => {
    for (; !isDone; reads++) await readManifest(path);
  })();
  for (let round = 0; round < 6; round++) {
    await Promise.all(variants.map((variant) => writeManifest(path, variant)));
  }
  isDone = true;
  await reader;
  assert.ok(reads > 0);
  assert.deepEqual(readdirSync(dir.path), ["m.pb"]);
});

test("centralManifestPath() takes valid names only", () => {
  assert.throws(
    () => centralManifestPath("/r", "../x", "1.0.0"),
    isManifestError("InvalidName", /^invalid name "\.\.\/x"/),
  );
  assert.throws(
    () => centralManifestPath("/r", "svc", "1.0"),
    isManifestError("InvalidName", /^invalid name "1\.0"/),
  );
});

test("scanCentral() sorts, keeps errors and skips what is no manifest's file", async () => {
  await using dir = await makeTempDir();
  const registry = dir.join("registry");
  await writeManifestToCentral(registry, "svc", "2.0.0", create(CacheManifestSchema, { serviceName: "svc" }));
  await writeManifestToCentral(registry, "a", "1.0.0", create(CacheManifestSchema, { serviceName: "a" }));
  writeFileSync(`${registry}/garbage.pb`, "garbage");
  writeFileSync(`${registry}/.a-1.0.0.pb.tmp-1-2`, "left behind");
  writeFileSync(`${registry}/.pb`, "no extension");
  writeFileSync(`${registry}/notes.txt`, "no manifest");
  mkdirSync(`${registry}/directory.pb`);
  if (isPosix) symlinkSync("nowhere", `${registry}/dangling.pb`);
  const entries = await scanCentral(registry);
  const outcomes = entries.map((entry) => [
    entry.path.slice(registry.length + 1),
    entry.ok ? entry.manifest.serviceName : entry.error.kind,
  ]);
  assert.deepEqual(outcomes, [
    ["a-1.0.0.pb", "a"],
    ...(isPosix ? [["dangling.pb", "Io"]] : []),
    ["directory.pb", "Io"],
    ["garbage.pb", "Decode"],
    ["svc-2.0.0.pb", "svc"],
  ]);
});

test("scanCentral() of a missing registry finds nothing", async () => {
  await using dir = await makeTempDir();
  assert.deepEqual(await scanCentral(dir.join("none")), []);
  assert.deepEqual(await enumerateCentral(dir.join("none")), []);
});

test("scanCentral() does not read a registry that others may use", async () => {
  await using dir = await makeTempDir();
  await new CacheManifestBuilder("svc", "1.0.0").publishIn(dir.join("registry"));
  if (!isPosix) return assert.equal((await scanCentral(dir.join("registry"))).length, 1);
  for (const open of [0o701, 0o720, 0o777]) {
    chmodSync(dir.join("registry"), open);
    const [entry, ...more] = await scanCentral(dir.join("registry"));
    assert.deepEqual(more, []);
    assert.ok(entry !== undefined && !entry.ok && entry.path === dir.join("registry"));
    const detail = `central manifest registry has insecure permissions: ${dir.join("registry")}`;
    assert.deepEqual([entry.error.kind, entry.error.detail], ["InsecureRegistry", detail]);
    assert.deepEqual(await enumerateCentral(dir.join("registry")), []);
  }
});

test("scanCentral() reports a registry that is a file", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("registry"), "", { mode: 0o600 });
  const [entry, ...more] = await scanCentral(dir.join("registry"));
  assert.deepEqual(more, []);
  assert.ok(entry !== undefined && !entry.ok);
  assert.equal(entry.error.kind, "Io");
});

test("enumerateCentral() leaves out other hosts and former boots", async () => {
  await using dir = await makeTempDir();
  const host = await hostIdentity();
  const hosts = {
    "here": host,
    "nowhere": undefined,
    "unsaid": { ...host, machineId: "", bootId: "" },
    "other-machine": { ...host, machineId: "other" },
    "former-boot": { ...host, bootId: "other" },
  };
  for (const [serviceName, recorded] of Object.entries(hosts)) {
    const fields = recorded === undefined ? { serviceName } : { serviceName, host: recorded };
    await writeManifestToCentral(dir.join("r"), serviceName, "1.0.0", create(CacheManifestSchema, fields));
  }
  const names = async (current?: typeof host) =>
    (await enumerateCentral(dir.join("r"), current)).map(({ serviceName }) => serviceName);
  assert.deepEqual(await names(), ["here", "nowhere", "unsaid"]);
  assert.deepEqual(await names({ ...host, bootId: "other" }), ["former-boot", "nowhere", "unsaid"]);
});
