import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { directoryAccess } from "../../src/host/private_directory.ts";
import { installServiceDefinition } from "../../src/service/install_service_definition.ts";
import { ServiceDefinitionBuilder } from "../../src/service/service_definition_builder.ts";
import { ServiceDefinitionError } from "../../src/service/service_definition_error.ts";
import { serviceDefinitionPath, writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { BINARY, makeDefinition } from "./_definition.ts";

const isPosix = process.platform !== "win32";

test("writeServiceDefinition() writes the reference's bytes for the user alone", async () => {
  await using dir = await makeTempDir();
  const definition = ServiceDefinitionBuilder.sharedBroker("zccache", "/usr/bin/python3")
    .perVersionBinaryDir("/usr/bin").minVersion("1.10.0").allowVersion("1.11.20").build();
  const path = await writeServiceDefinition(dir.join("a", "services"), definition);
  assert.equal(path, dir.join("a", "services", "zccache.servicedef"));
  assert.deepEqual(readdirSync(dir.join("a", "services")), ["zccache.servicedef"]);
  const bytes = "0a077a6363616368651210" + "2f7573722f62696e2f707974686f6e33" + "1801" +
    "2a082f7573722f62696e" +
    "3206312e31302e30" + "3a07312e31312e3230";
  assert.equal(toHex(readFileSync(path)), toHex(fromHex(bytes)));
  if (isPosix) {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(dir.join("a", "services")).mode & 0o777, 0o700);
  }
});

test("writeServiceDefinition() makes an existing directory private", async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("services"));
  chmodSync(dir.join("services"), 0o755);
  await writeServiceDefinition(dir.join("services"), makeDefinition());
  if (isPosix) assert.equal(statSync(dir.join("services")).mode & 0o777, 0o700);
  assert.deepEqual(await new ServiceDefinitionLoader(dir.join("services")).load("svc"), makeDefinition());
});

test("writeServiceDefinition() does not write where a directory cannot be made private", async () => {
  await using dir = await makeTempDir();
  const access = { ...directoryAccess, isPrivate: () => Promise.resolve(false) };
  await assert.rejects(writeServiceDefinition(dir.path, makeDefinition(), access), (error) => {
    assert.ok(error instanceof ServiceDefinitionError);
    assert.equal(error.kind, "InsecureDirectory");
    return true;
  });
  assert.deepEqual(readdirSync(dir.path), []);
});

test("writeServiceDefinition() refuses an invalid definition and keeps the old file", async () => {
  await using dir = await makeTempDir();
  await writeServiceDefinition(dir.path, makeDefinition());
  const before = readFileSync(dir.join("svc.servicedef"));
  const invalid = makeDefinition({ binaryPath: "rel" });
  await assert.rejects(writeServiceDefinition(dir.path, invalid), ServiceDefinitionError);
  assert.deepEqual(readFileSync(dir.join("svc.servicedef")), before);
  assert.deepEqual(readdirSync(dir.path), ["svc.servicedef"]);
});

test("writeServiceDefinition() reports what the system says", async () => {
  await using dir = await makeTempDir();
  await writeServiceDefinition(dir.join("services"), makeDefinition());
  await assert.rejects(
    writeServiceDefinition(dir.join("services", "svc.servicedef"), makeDefinition()),
    (error) => {
      assert.ok(error instanceof ServiceDefinitionError && error.kind === "Io");
      assert.match(error.detail, /^service-definition I\/O failed: .* \(os error \d+\)$/);
      return true;
    },
  );
});

test("serviceDefinitionPath() refuses a name that is none", () => {
  assert.throws(() => serviceDefinitionPath("/d", "../x"), ServiceDefinitionError);
});

test("a reader never sees half a definition while it is replaced", async () => {
  await using dir = await makeTempDir();
  const variants = ["1.0.0", "20.0.0", "300.0.0"].map((minVersion) => makeDefinition({ minVersion }));
  await writeServiceDefinition(dir.path, variants[0]!);
  const loader = new ServiceDefinitionLoader(dir.path);
  let isDone = false;
  const seen = new Set<string>();
  const reader = (async () => {
    while (!isDone) seen.add((await loader.load("svc")).minVersion);
  })();
  for (let round = 0; round < 5; round++) {
    await Promise.all(variants.map((variant) => writeServiceDefinition(dir.path, variant)));
  }
  isDone = true;
  await reader;
  for (const version of seen) assert.ok(variants.some((variant) => variant.minVersion === version), version);
  assert.deepEqual(readdirSync(dir.path), ["svc.servicedef"]);
});

test("ServiceDefinitionBuilder has a start for each isolation and validates at the end", () => {
  const shared = ServiceDefinitionBuilder.sharedBroker("svc", BINARY);
  assert.deepEqual(shared.build(), makeDefinition());
  assert.equal(ServiceDefinitionBuilder.privateBroker("svc", BINARY).build().isolation, 0);
  const explicit = ServiceDefinitionBuilder.explicitInstance("svc", BINARY, "dev").build();
  assert.deepEqual([explicit.isolation, explicit.explicitInstance], [2, "dev"]);
  assert.throws(
    () => ServiceDefinitionBuilder.explicitInstance("svc", BINARY, "").build(),
    ServiceDefinitionError,
  );
  assert.throws(() => shared.minVersion("bogus").build(), ServiceDefinitionError);
});

test("ServiceDefinitionBuilder.build() gives copies", () => {
  const builder = ServiceDefinitionBuilder.sharedBroker("svc", BINARY).allowVersion("1.0.0").label("a", "b");
  const first = builder.build();
  const second = builder.allowVersion("2.0.0").label("c", "d").build();
  assert.deepEqual(first.versionAllowList, ["1.0.0"]);
  assert.deepEqual(first.labels, { a: "b" });
  assert.deepEqual(second.versionAllowList, ["1.0.0", "2.0.0"]);
  assert.deepEqual(second.labels, { a: "b", c: "d" });
});

test("ServiceDefinitionBuilder.installIn() writes where it is told", async () => {
  await using dir = await makeTempDir();
  const path = await ServiceDefinitionBuilder.sharedBroker("svc", BINARY).installIn(dir.join("s"));
  assert.equal(path, dir.join("s", "svc.servicedef"));
  assert.deepEqual(await new ServiceDefinitionLoader(dir.join("s")).load("svc"), makeDefinition());
});

test("installServiceDefinition() says what decided on the directory", async () => {
  await using dir = await makeTempDir();
  const platform = isPosix ? "linux" : "windows";
  const host = (environment: Record<string, string>) =>
    ({ platform, environment, uid: 1, home: dir.join("h") }) as const;
  const variable = "RUNNING_PROCESS_SERVICE_DEF_DIR";
  const byFlag = await installServiceDefinition(makeDefinition(), {
    directory: dir.join("f"),
    host: host({}),
  });
  assert.deepEqual(byFlag, {
    path: dir.join("f", "svc.servicedef"),
    dir: dir.join("f"),
    dirSource: "flag:--service-def-dir",
  });
  const byVariable = await installServiceDefinition(makeDefinition(), {
    host: host({ [variable]: dir.join("e") }),
  });
  assert.deepEqual([byVariable.dir, byVariable.dirSource], [dir.join("e"), `env:${variable}`]);
  const byDefault = await installServiceDefinition(makeDefinition(), {
    host: host({ XDG_CONFIG_HOME: dir.join("c"), APPDATA: dir.join("c") }),
  });
  assert.equal(byDefault.dir, dir.join("c", "running-process", "services"));
  assert.equal(byDefault.dirSource, "platform-default");
});
