import assert from "node:assert/strict";
import { test } from "node:test";
import type { DoctorHost } from "../../src/doctor/doctor_host.ts";
import { runDoctor } from "../../src/doctor/run_doctor.ts";
import { fakeHost, fakeValues } from "./_fake_host.ts";

const NAMES = [
  "env:RUNNING_PROCESS_DISABLE",
  "env:RUNNING_PROCESS_FAKE_BACKEND",
  "env:RUNNING_PROCESS_NO_TRACKING",
  "env:RUNNING_PROCESS_DAEMON_SCOPE",
  "env:RUNNING_PROCESS_SERVICE_DEF_DIR",
  "env:RUNNING_PROCESS_BROKER_V1_SOCKET",
  "broker:endpoint",
  "servicedef:dir",
  "sockets:runtime-dir",
  "filesystem:inodes",
  "platform:path-budget",
  "platform:systemd-killmode",
  "build:version",
  "runtime:native-calls",
  "runtime:permissions",
];

test("runDoctor() makes every check once, in the protocol's order and then our own, and JSON agrees", async () => {
  const report = await runDoctor(fakeHost());
  assert.deepEqual(report.checks.map(({ name }) => name), NAMES);
  for (const { name, detail } of report.checks) {
    assert.ok(detail.length > 0 && !detail.includes("\n"), `${name}: ${detail}`);
  }
  const said = JSON.parse(report.toJson());
  assert.deepEqual([said.command, said.exit_code, said.checks.length], ["doctor", 0, NAMES.length]);
  assert.deepEqual(
    said.checks.map(({ status }: { status: string }) => status),
    report.checks.map(({ status }) => status),
  );
});

test("runDoctor() does not fail a host without broker and without definitions", async () => {
  const { exitCode, checks } = await runDoctor(fakeHost());
  assert.deepEqual([exitCode, checks.filter(({ status }) => status === "FAIL")], [0, []]);
});

test("runDoctor() looks at what it is told to instead of what is derived", async () => {
  const seen: string[] = [];
  const note = <T>(path: string, answer: T) => (seen.push(path), Promise.resolve(answer));
  const { dial } = fakeHost();
  const host = fakeHost({
    dial: (endpoint, ...rest) => note(endpoint, undefined).then(() => dial(endpoint, ...rest)),
    kindOf: (path) => note(path, undefined),
  });
  await runDoctor(host, { endpoint: "/run/mine.sock", serviceDefinitionDir: "/srv/defs" });
  assert.deepEqual(seen.slice(0, 2), ["/run/mine.sock", "/srv/defs"]);
  assert.ok(!seen.some((path) => path.includes(".config")), seen.join(" "));
});

const CRASHES: readonly (readonly [area: string, broken: Partial<DoctorHost>])[] = [
  ["env", { values: { ...fakeValues(), environment: throwing() } }],
  ["broker:endpoint", { dial: () => Promise.reject(new Error("boom")) }],
  ["servicedef:dir", { kindOf: () => Promise.reject(new Error("boom")) }],
  ["filesystem:inodes", { inodes: () => Promise.reject(new Error("boom")) }],
  ["runtime:native-calls", { nativeCalls: () => Promise.reject(new Error("boom")) }],
  ["runtime:permissions", { libraryPath: () => Promise.reject(new Error("boom")) }],
];

function throwing(): Record<string, string> {
  return new Proxy({}, {
    get() {
      throw new Error("boom");
    },
  });
}

for (const [area, broken] of CRASHES) {
  test(`runDoctor() makes one failed check of a crash in "${area}", and goes on`, async () => {
    const { checks, exitCode } = await runDoctor(fakeHost(broken));
    const crashed = checks.filter(({ name }) => name === area);
    assert.deepEqual([crashed.length, crashed[0]?.status, exitCode], [1, "FAIL", 1]);
    assert.match(crashed[0]!.detail, /boom/);
    assert.ok(checks.some(({ name, status }) => name === "build:version" && status === "PASS"));
  });
}
