import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { directoryAccess } from "../../src/host/private_directory.ts";
import { serviceDefinitionDirectory } from "../../src/naming/directories.ts";
import type { HostValues } from "../../src/naming/platform.ts";
import { installServiceDefinition } from "../../src/service/install_service_definition.ts";
import { ServiceDefinitionBuilder } from "../../src/service/service_definition_builder.ts";
import { ServiceDefinitionError } from "../../src/service/service_definition_error.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { BINARY, makeDefinition } from "./_definition.ts";

test("ServiceDefinitionBuilder.build() gives a shared definition its minimum, allow list and labels", () => {
  const definition = ServiceDefinitionBuilder.sharedBroker("svc", BINARY)
    .minVersion("1.10.0").allowVersion("1.11.20").allowVersion("1.12.0").label("channel", "stable").build();
  assert.deepEqual(
    definition,
    makeDefinition({
      minVersion: "1.10.0",
      versionAllowList: ["1.11.20", "1.12.0"],
      labels: { channel: "stable" },
    }),
  );
});

test("ServiceDefinitionBuilder.build() refuses a binary that is not absolute", () => {
  for (const path of ["bin/daemon", "./daemon", "daemon", ""]) {
    const builder = ServiceDefinitionBuilder.sharedBroker("svc", path);
    assert.throws(() => builder.build(), (error) => {
      assert.ok(error instanceof ServiceDefinitionError);
      assert.equal(error.kind, "InvalidPath");
      return true;
    });
  }
});

test("a directory that the environment names is made private, and what is installed there loads", async () => {
  await using dir = await makeTempDir();
  const named = dir.join("named", "services");
  const definition = makeDefinition();
  const host: HostValues = {
    platform: process.platform === "win32" ? "windows" : "linux",
    environment: { RUNNING_PROCESS_SERVICE_DEF_DIR: named },
    uid: 1,
    home: dir.path,
  };
  const { path, dir: folder } = await installServiceDefinition(definition, { host });
  assert.deepEqual([folder, path], [named, dir.join("named", "services", "svc.servicedef")]);
  assert.equal(await directoryAccess.isPrivate(named), true);
  const loader = new ServiceDefinitionLoader(serviceDefinitionDirectory(host).path);
  assert.deepEqual(await loader.load("svc"), definition);
});
