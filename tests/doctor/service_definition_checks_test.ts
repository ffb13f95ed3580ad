import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DoctorReport } from "../../src/doctor/doctor_report.ts";
import { serviceDefinitionChecks } from "../../src/doctor/service_definition_checks.ts";
import { systemDoctorHost } from "../../src/doctor/system_doctor_host.ts";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { BrokerIsolation, ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { fakeHost } from "./_fake_host.ts";

const host = systemDoctorHost(() => Promise.reject(new Error("not asked")));

async function writeDefinition(directory: string): Promise<void> {
  const definition = create(ServiceDefinitionSchema, {
    serviceName: "zccache",
    binaryPath: "/usr/local/bin/zccache",
    isolation: BrokerIsolation.SHARED_BROKER,
    minVersion: "1.0.0",
  });
  await writeServiceDefinition(directory, definition);
}

test("serviceDefinitionChecks() warns once of a directory that does not exist", async () => {
  await using dir = await makeTempDir();
  const [check, ...rest] = await serviceDefinitionChecks(host, dir.join("missing"));
  assert.deepEqual([check?.name, check?.status, rest], ["servicedef:dir", "WARN", []]);
  assert.match(check!.detail, /does not exist/);
});

test("serviceDefinitionChecks() looks at each definition, sorted, and at nothing else", async () => {
  await using dir = await makeTempDir();
  const folder = dir.join("services");
  await writeDefinition(folder);
  writeFileSync(`${folder}/broken.servicedef`, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  writeFileSync(`${folder}/README.txt`, "not a definition");
  writeFileSync(`${folder}/.servicedef`, "a name without a service");
  const checks = await serviceDefinitionChecks(host, folder);
  assert.deepEqual(checks.map(({ name, status }) => `${status} ${name}`), [
    "PASS servicedef:dir",
    "FAIL servicedef:broken.servicedef",
    "PASS servicedef:zccache.servicedef",
  ]);
  assert.match(checks[0]!.detail, /2 \.servicedef files$/);
  assert.match(checks[1]!.detail, /decode failed/);
  assert.match(checks[2]!.detail, /"zccache".*"\/usr\/local\/bin\/zccache"/);
  assert.equal(new DoctorReport(checks).exitCode, 1);
});

test("serviceDefinitionChecks() counts one definition as one", async () => {
  await using dir = await makeTempDir();
  await writeDefinition(dir.path);
  const [check] = await serviceDefinitionChecks(host, dir.path);
  assert.match(check!.detail, /1 \.servicedef file$/);
});

test("serviceDefinitionChecks() fails a directory that others may use, and looks at no file in it", async () => {
  await using dir = await makeTempDir();
  await writeDefinition(dir.path);
  chmodSync(dir.path, 0o777);
  const [check, ...rest] = await serviceDefinitionChecks(host, dir.path);
  assert.deepEqual([check?.status, rest], ["FAIL", []]);
  assert.match(check!.detail, /insecure permissions.*chmod 700 /);
});

test("serviceDefinitionChecks() fails what is no directory", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "");
  const [check, ...rest] = await serviceDefinitionChecks(host, dir.join("file"));
  assert.deepEqual([check?.status, rest], ["FAIL", []]);
  assert.match(check!.detail, /is not a directory/);
});

test("serviceDefinitionChecks() fails a directory that cannot be looked at", async () => {
  const there = { kindOf: () => Promise.resolve("directory" as const) };
  const denied = () => Promise.reject(new Error("EACCES: not yours"));
  const [listed] = await serviceDefinitionChecks(fakeHost({ ...there, listNames: denied }), "/defs");
  assert.deepEqual([listed?.status, /cannot be listed.*EACCES/.test(listed!.detail)], ["FAIL", true]);
  const [asked] = await serviceDefinitionChecks(fakeHost({ ...there, isPrivate: denied }), "/defs");
  assert.deepEqual([asked?.status, /permissions of \/defs.*EACCES/.test(asked!.detail)], ["FAIL", true]);
});
