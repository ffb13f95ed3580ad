import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { ServiceDefinitionError } from "../../src/service/service_definition_error.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import type { FileLook } from "../../ffi/file_look.ts";
import type { ServiceDefinition } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { countFds } from "../support/fd_count.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { native } from "../transport/_transport.ts";
import { makeDefinition, makeDefinitionDir, putDefinition } from "./_definition.ts";

/** A clock that sees every file as written long ago. */
const later = { nowMs: () => Date.now() + 60_000 };

type Load = (loader: ServiceDefinitionLoader, service: string) => Promise<Readonly<ServiceDefinition>>;

const loadSync: Load = (loader, service) => Promise.resolve().then(() => loader.loadSync(service));

/** All ways of loading have to do the same, also where a cheaper look may stand for the status. */
const ways: readonly [string, Load, FileLook | undefined][] = [
  ["load", (loader, service) => loader.load(service), undefined],
  ["loadSync", loadSync, undefined],
  ["with looks, loadSync", loadSync, native.fileLook],
];

function failsWith(kind: string, detail: RegExp, isNotFound = false): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServiceDefinitionError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.detail, detail);
    assert.equal(error.isNotFound, isNotFound);
    return true;
  };
}

for (const [way, load, look] of ways) {
  test(`${way}() reads a valid definition and shares it frozen until its file changes`, async () => {
    await using dir = await makeDefinitionDir(
      makeDefinition({ versionAllowList: ["1.0.0"], labels: { a: "b" } }),
    );
    const loader = new ServiceDefinitionLoader(dir.services, { ...later, look });
    const first = await load(loader, "svc");
    assert.deepEqual(first, makeDefinition({ versionAllowList: ["1.0.0"], labels: { a: "b" } }));
    assert.equal(await load(loader, "svc"), first);
    for (const shared of [first, first.versionAllowList, first.labels]) assert.ok(Object.isFrozen(shared));
    // The content changes its size: this clock takes fresh times for settled ones.
    putDefinition(`${dir.services}/svc.servicedef`, makeDefinition({ minVersion: "2.0.0" }));
    assert.equal((await load(loader, "svc")).minVersion, "2.0.0");
  });

  test(`${way}() sees a file that another one took the place of`, async () => {
    await using dir = await makeDefinitionDir(makeDefinition({ minVersion: "1.0.0" }));
    const loader = new ServiceDefinitionLoader(dir.services, { ...later, look });
    assert.equal((await load(loader, "svc")).minVersion, "1.0.0");
    putDefinition(dir.join("new"), makeDefinition({ minVersion: "2.0.0" }));
    renameSync(dir.join("new"), `${dir.services}/svc.servicedef`);
    assert.equal((await load(loader, "svc")).minVersion, "2.0.0");
    rmSync(`${dir.services}/svc.servicedef`);
    await assert.rejects(load(loader, "svc"), failsWith("Io", /\(os error 2\)$/, true));
  });

  test(`${way}() does not trust the times of a file written just now`, async () => {
    await using dir = await makeDefinitionDir(makeDefinition({ minVersion: "1.0.0" }));
    const loader = new ServiceDefinitionLoader(dir.services, { look });
    const first = await load(loader, "svc");
    const second = await load(loader, "svc");
    assert.deepEqual(second, first);
    assert.notEqual(second, first);
  });

  test(`${way}() asks for the directory's privacy every time`, async () => {
    await using dir = await makeDefinitionDir(makeDefinition());
    const loader = new ServiceDefinitionLoader(dir.services, { ...later, look });
    await load(loader, "svc");
    if (process.platform === "win32") return;
    for (const mode of [0o755, 0o701, 0o720]) {
      chmodSync(dir.services, mode);
      const text = new RegExp(`^service-definition directory has insecure permissions: ${dir.services}$`);
      await assert.rejects(load(loader, "svc"), failsWith("InsecureDirectory", text));
    }
    chmodSync(dir.services, 0o700);
    await load(loader, "svc");
  });

  test(`${way}() reports a missing directory before a bad name, and a bad name before a missing file`, async () => {
    await using dir = await makeDefinitionDir();
    const missing = new ServiceDefinitionLoader(dir.join("none"), { look });
    const notFound = /^service-definition I\/O failed: No such file or directory \(os error 2\)$/;
    await assert.rejects(load(missing, "Bad"), failsWith("Io", notFound, true));
    const loader = new ServiceDefinitionLoader(dir.services, { look });
    await assert.rejects(load(loader, "Bad"), failsWith("InvalidName", /^invalid name "Bad": uppercase/));
    await assert.rejects(load(loader, "../svc"), failsWith("InvalidName", /^invalid name "\.\.\/svc": only/));
    await assert.rejects(load(loader, "svc"), failsWith("Io", notFound, true));
  });

  test(`${way}() reports what is wrong in the file`, async () => {
    await using dir = await makeDefinitionDir();
    const file = `${dir.services}/svc.servicedef`;
    const loader = new ServiceDefinitionLoader(dir.services, { ...later, look });
    writeFileSync(file, Uint8Array.of(0x0a, 0x05, 0x61));
    const decode = /^service-definition protobuf decode failed: failed to decode Protobuf message: /;
    await assert.rejects(load(loader, "svc"), failsWith("Decode", decode));
    putDefinition(file, makeDefinition({ serviceName: "other" }));
    await assert.rejects(load(loader, "svc"), failsWith("ServiceNameMismatch", /file declares "other"$/));
    putDefinition(file, makeDefinition({ binaryPath: "rel" }));
    await assert.rejects(load(loader, "svc"), failsWith("InvalidPath", /\(must be absolute\)$/));
    writeFileSync(file, "");
    await assert.rejects(load(loader, "svc"), failsWith("InvalidName", /^invalid name "": /));
  });

  test(`${way}() forgets a definition whose file went bad`, async () => {
    await using dir = await makeDefinitionDir(makeDefinition());
    const file = `${dir.services}/svc.servicedef`;
    const loader = new ServiceDefinitionLoader(dir.services, { ...later, look });
    await load(loader, "svc");
    truncateSync(file, 3);
    await assert.rejects(load(loader, "svc"), failsWith("Decode", /buffer underflow|invalid/));
    await assert.rejects(load(loader, "svc"), ServiceDefinitionError);
    putDefinition(file, makeDefinition());
    assert.equal((await load(loader, "svc")).serviceName, "svc");
  });

  test(`${way}() refuses what is no file of sensible size`, async () => {
    await using dir = await makeDefinitionDir();
    const loader = new ServiceDefinitionLoader(dir.services, { look });
    mkdirSync(`${dir.services}/directory.servicedef`);
    await assert.rejects(load(loader, "directory"), failsWith("Io", /not a regular file$/));
    writeFileSync(`${dir.services}/large.servicedef`, "");
    truncateSync(`${dir.services}/large.servicedef`, 1024 * 1024 + 1);
    await assert.rejects(load(loader, "large"), failsWith("Io", /file has 1048577 bytes, at most 1048576$/));
  });

  test(`${way}() closes every file it opens`, async () => {
    await using dir = await makeDefinitionDir(makeDefinition(), makeDefinition({ serviceName: "bad" }));
    writeFileSync(`${dir.services}/bad.servicedef`, "bad");
    const loader = new ServiceDefinitionLoader(dir.services, { look });
    await load(loader, "svc");
    const before = process.platform === "linux" ? countFds() : 0;
    for (let round = 0; round < 30; round++) {
      await load(loader, "svc");
      await assert.rejects(load(loader, "bad"), failsWith("Decode", /./));
    }
    const after = process.platform === "linux" ? countFds() : 0;
    // Other things may be opened meanwhile, but not one for each load.
    assert.ok(after < before + 30, `${before} descriptors became ${after}`);
  });

  test(`${way}() follows links, of the directory and of the file`, async () => {
    await using dir = await makeDefinitionDir();
    if (process.platform === "win32") {
      return await assert.rejects(load(new ServiceDefinitionLoader(dir.services, { look }), "svc"));
    }
    putDefinition(dir.join("target"), makeDefinition({ minVersion: "1.0.0" }));
    symlinkSync(dir.join("target"), `${dir.services}/svc.servicedef`);
    symlinkSync(dir.services, dir.join("link"));
    const loader = new ServiceDefinitionLoader(dir.join("link"), { ...later, look });
    assert.equal((await load(loader, "svc")).minVersion, "1.0.0");
    putDefinition(dir.join("target"), makeDefinition({ minVersion: "20.0.0" }));
    assert.equal((await load(loader, "svc")).minVersion, "20.0.0");
    chmodSync(dir.services, 0o750);
    await assert.rejects(load(loader, "svc"), failsWith("InsecureDirectory", /link$/));
  });
}

test("a loader keeps a bounded number of definitions", async () => {
  await using dir = await makeTempDir();
  const services = dir.path;
  const names = Array.from({ length: 1025 }, (_, index) => `svc-${index}`);
  for (const serviceName of names) {
    putDefinition(`${services}/${serviceName}.servicedef`, makeDefinition({ serviceName }));
  }
  const loader = new ServiceDefinitionLoader(services, later);
  const loaded = names.map((name) => loader.loadSync(name));
  assert.equal(loader.loadSync(names.at(-1)!), loaded.at(-1));
  assert.equal(loader.loadSync(names[1]!), loaded[1]);
  assert.notEqual(loader.loadSync(names[0]!), loaded[0]);
});

test("both ways of loading share what they have read", async () => {
  await using dir = await makeDefinitionDir(makeDefinition());
  const loader = new ServiceDefinitionLoader(dir.services, later);
  assert.equal(await loader.load("svc"), loader.loadSync("svc"));
});

test("what looks the same is not opened again, and one look at file and directory is all it takes", {
  skip: process.platform !== "linux" && "needs statx",
}, async () => {
  await using dir = await makeDefinitionDir(makeDefinition({}));
  const seen: string[] = [];
  const look: FileLook = (path, known) => {
    seen.push(path.slice(dir.services.length));
    return native.fileLook(path, known);
  };
  const loader = new ServiceDefinitionLoader(dir.services, { ...later, look });
  const first = loader.loadSync("svc");
  assert.equal(loader.loadSync("svc"), first);
  seen.length = 0;
  const fds = countFds();
  assert.equal(loader.loadSync("svc"), first);
  assert.deepEqual(seen, ["", "/svc.servicedef"]);
  assert.equal(countFds(), fds);
  chmodSync(dir.services, 0o755);
  assert.throws(() => loader.loadSync("svc"), failsWith("InsecureDirectory", /insecure/));
  chmodSync(dir.services, 0o700);
  assert.equal(loader.loadSync("svc"), first);
});
