import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentChecks } from "../../src/doctor/environment_checks.ts";

function check(name: string, value: string) {
  const found = environmentChecks({ [name]: value }).find((each) => each.name === `env:${name}`);
  assert.ok(found !== undefined, name);
  return found;
}

test("environmentChecks() passes six variables that are unset", () => {
  const checks = environmentChecks({});
  assert.deepEqual(checks.map(({ status }) => status), Array(6).fill("PASS"));
  for (const { detail } of checks) assert.match(detail, /^unset/);
});

test("environmentChecks() warns of RUNNING_PROCESS_DISABLE=1: broker disabled", () => {
  const { status, detail } = check("RUNNING_PROCESS_DISABLE", "1");
  assert.equal(status, "WARN");
  assert.match(detail, /broker disabled/);
});

test("environmentChecks() fails any other RUNNING_PROCESS_DISABLE and quotes it", () => {
  for (const value of ["true", "", "0", " 1"]) {
    const { status, detail } = check("RUNNING_PROCESS_DISABLE", value);
    assert.equal(status, "FAIL", value);
    assert.ok(detail.includes(`"${value}"`), detail);
  }
});

test("environmentChecks() warns loudly of the fake backend, and less so when it is ignored", () => {
  const loud = check("RUNNING_PROCESS_FAKE_BACKEND", "/tmp/fake.sock");
  assert.equal(loud.status, "WARN");
  assert.match(loud.detail, /TEST-ONLY.*"\/tmp\/fake\.sock".*never set this in production/);
  const ignored = check("RUNNING_PROCESS_FAKE_BACKEND", "");
  assert.equal(ignored.status, "WARN");
  assert.ok(!ignored.detail.includes("TEST-ONLY"), ignored.detail);
});

test("environmentChecks() warns of the other variables when they are set, also to nothing", () => {
  for (const name of ["NO_TRACKING", "DAEMON_SCOPE", "SERVICE_DEF_DIR", "BROKER_V1_SOCKET"]) {
    for (const value of ["/some\nwhere", ""]) {
      const { status, detail } = check(`RUNNING_PROCESS_${name}`, value);
      assert.equal(status, "WARN", name);
      assert.ok(detail.startsWith(`set to ${JSON.stringify(value)}: `), detail);
    }
  }
});
