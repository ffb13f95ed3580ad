import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { CommandLine, UsageError } from "../../src/cli/command_line.ts";
import { definitionOf } from "../../src/cli/servicedef_command.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import { BrokerIsolation } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { runCli } from "./_run_cli.ts";

const REQUIRED = ["--service", "my-daemon", "--binary-path", "/usr/bin/my-daemon"];
const SOURCE_VARIABLE = "RUNNING_PROCESS_SERVICE_DEF_DIR";

function definition(...args: string[]) {
  return definitionOf(new CommandLine(["servicedef", "install", ...args]));
}

test("definitionOf() fills what no option names as the reference does: a private broker", () => {
  const { $typeName: _, ...fields } = definition(...REQUIRED);
  assert.deepEqual(fields, {
    serviceName: "my-daemon",
    binaryPath: "/usr/bin/my-daemon",
    isolation: BrokerIsolation.PRIVATE_BROKER,
    explicitInstance: "",
    perVersionBinaryDir: "",
    minVersion: "",
    versionAllowList: [],
    labels: {},
  });
});

test("definitionOf() takes every option, and each --allow-version in its order", () => {
  const seen = definition(
    ...["--allow-version", "1.2.0", "--isolation", "explicit", "--explicit-instance", "lab"],
    ...[...REQUIRED, "--min-version", "1.0.0", "--allow-version", "1.1.0"],
    ...["--per-version-binary-dir", "/usr/bin"],
  );
  assert.equal(seen.isolation, BrokerIsolation.EXPLICIT_INSTANCE);
  assert.deepEqual(
    [seen.explicitInstance, seen.minVersion, seen.perVersionBinaryDir, seen.versionAllowList],
    ["lab", "1.0.0", "/usr/bin", ["1.2.0", "1.1.0"]],
  );
  assert.equal(definition(...REQUIRED, "--isolation", "shared").isolation, BrokerIsolation.SHARED_BROKER);
});

test("definitionOf() takes the first of two values, and the next element as it is", () => {
  assert.equal(definition("--service", "first", ...REQUIRED).serviceName, "first");
  assert.equal(definition("--service", "--binary-path", "/x").serviceName, "--binary-path");
});

test("definitionOf() wants a service, a binary and a known isolation", () => {
  const wrong = [
    REQUIRED.slice(0, 2),
    REQUIRED.slice(2),
    ["--binary-path", "/x", "--service"],
    [...REQUIRED, "--min-version"],
    [...REQUIRED, "--allow-version"],
    [...REQUIRED, "--isolation", "SHARED"],
    [...REQUIRED, "--isolation", ""],
  ];
  for (const args of wrong) assert.throws(() => definition(...args), UsageError, args.join(" "));
});

test("servicedef install writes a definition that loads, and says in JSON where", async () => {
  await using dir = await makeTempDir();
  const folder = dir.join("services");
  const options = ["--isolation", "shared", "--min-version", "1.10.0", "--service-def-dir", folder, "--json"];
  // The directory of the option comes before the one of the environment.
  const run = await runCli(["servicedef", "install", ...REQUIRED, ...options], {
    [SOURCE_VARIABLE]: dir.join("other"),
  });
  const path = `${folder}/my-daemon.servicedef`;
  assert.deepEqual(run, {
    code: 0,
    stdout: `{"dir":"${folder}","dir_source":"flag:--service-def-dir","path":"${path}",` +
      `"service_name":"my-daemon"}\n`,
    stderr: "",
  });
  const loaded = await new ServiceDefinitionLoader(folder).load("my-daemon");
  assert.deepEqual([loaded.binaryPath, loaded.minVersion], ["/usr/bin/my-daemon", "1.10.0"]);
  assert.deepEqual(readdirSync(dir.path), ["services"]);
});

test("servicedef install says in words where the environment or the platform wants it", async () => {
  await using dir = await makeTempDir();
  const install = (env: Record<string, string>) => runCli(["servicedef", "install", ...REQUIRED], env);
  const named = dir.join("named");
  const byVariable = await install({ [SOURCE_VARIABLE]: named });
  const wanted =
    `installed ${named}/my-daemon.servicedef (service-definition dir source: env:${SOURCE_VARIABLE})\n`;
  assert.deepEqual([byVariable.code, byVariable.stdout], [0, wanted]);
  const byDefault = await install({ HOME: dir.path, XDG_CONFIG_HOME: dir.join("config") });
  assert.equal(byDefault.code, 0, byDefault.stderr);
  const [, path] = /^installed (.*) \(service-definition dir source: platform-default\)\n$/
    .exec(byDefault.stdout) ?? [];
  assert.ok(path?.startsWith(`${dir.path}/`) && existsSync(path), byDefault.stdout);
});

test("servicedef install writes nothing that is not valid, and exits with 1", async () => {
  await using dir = await makeTempDir();
  const options = ["--service", "my-daemon", "--binary-path", "bin/my-daemon", "--service-def-dir", dir.path];
  assert.deepEqual(await runCli(["servicedef", "install", ...options]), {
    code: 1,
    stdout: "",
    stderr: "servicedef install failed: service-definition binary_path is invalid: " +
      '"bin/my-daemon" (must be absolute)\n',
  });
  assert.deepEqual(readdirSync(dir.path), []);
});

test("servicedef ends with 2 and the usage when it is not told what to do, or not enough", async () => {
  for (const args of [[], ["remove"], ["install", "--service", "my-daemon"]]) {
    const { code, stdout, stderr } = await runCli(["servicedef", ...args]);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, /servicedef[^]*\nusage: /);
  }
});
