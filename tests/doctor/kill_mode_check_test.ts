import assert from "node:assert/strict";
import { test } from "node:test";
import type { DoctorHost } from "../../src/doctor/doctor_host.ts";
import { killModeCheck, killModeIn, unitOf } from "../../src/doctor/kill_mode_check.ts";
import { fakeHost, fakeValues, withVariables } from "./_fake_host.ts";

const CGROUP = "0::/system.slice/my-broker.service\n";

function underSystemd(changes: Partial<DoctorHost>): DoctorHost {
  return fakeHost({ ...withVariables({ INVOCATION_ID: "abc123" }), ...changes });
}

async function statusOf(output: string): Promise<string> {
  const asked: string[] = [];
  const { name, status, detail } = await killModeCheck(underSystemd({
    readText: (path) => Promise.resolve(path === "/proc/self/cgroup" ? CGROUP : ""),
    killMode: (unit) => (asked.push(unit), Promise.resolve(output)),
  }));
  assert.deepEqual([name, asked], ["platform:systemd-killmode", ["my-broker.service"]]);
  assert.ok(detail.includes("my-broker.service"), detail);
  return status;
}

test("killModeCheck() warns of a KillMode that ends launched backends, and of one that cannot be told", async () => {
  assert.equal(await statusOf("KillMode=control-group\n"), "WARN");
  assert.equal(await statusOf("KillMode=Control-Group\n"), "WARN");
  assert.equal(await statusOf("KillMode=\n"), "WARN");
  assert.equal(await statusOf("no such unit here\n"), "WARN");
});

test("killModeCheck() passes a KillMode under which backends live on", async () => {
  for (const mode of ["KillMode=process\n", "KillMode=mixed\n", "none\n"]) {
    assert.equal(await statusOf(mode), "PASS", mode);
  }
});

test("killModeCheck() never fails: what cannot be found out is a warning", async () => {
  const broken = () => Promise.reject(new Error("not to be had"));
  const cgroup = () => Promise.resolve(CGROUP);
  for (
    const host of [
      underSystemd({ readText: broken }),
      underSystemd({ readText: () => Promise.resolve("0::/user.slice\n") }),
      underSystemd({ readText: cgroup, killMode: broken }),
    ]
  ) {
    const { status, detail } = await killModeCheck(host);
    assert.equal(status, "WARN", detail);
    assert.match(detail, /cannot be told.*KillMode=process/);
  }
});

test("killModeCheck() passes outside of systemd, and is not applicable off Linux", async () => {
  for (const id of [undefined, "", "  "]) {
    const { status, detail } = await killModeCheck(fakeHost(withVariables({ INVOCATION_ID: id })));
    assert.deepEqual([status, detail], ["PASS", "not running under systemd"]);
  }
  for (const platform of ["macos", "windows"] as const) {
    const environment = { INVOCATION_ID: "abc123" };
    const { status, detail } = await killModeCheck(
      fakeHost({ values: fakeValues({ platform, environment }) }),
    );
    assert.deepEqual([status, /not applicable/.test(detail)], ["PASS", true]);
  }
});

test("unitOf() takes the innermost service or scope of either layout", () => {
  assert.equal(unitOf("0::/system.slice/foo.service"), "foo.service");
  assert.equal(unitOf("12:cpu:/\n1:name=systemd:/system.slice/foo.service/sub\n"), "foo.service");
  assert.equal(unitOf("0::/user.slice/user@1000.service/app.slice/run-1.scope"), "run-1.scope");
  for (const none of ["", "0::/", "0::/user.slice/user-1000.slice"]) {
    assert.equal(unitOf(none), undefined, none);
  }
});

test("killModeIn() reads the mode with and without its name", () => {
  assert.equal(killModeIn("KillMode=process\n"), "process");
  assert.equal(killModeIn(" mixed \n"), "mixed");
  for (const none of ["", "KillMode=", "A=b", "two words"]) assert.equal(killModeIn(none), undefined, none);
});
