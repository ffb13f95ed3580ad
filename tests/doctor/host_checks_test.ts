import assert from "node:assert/strict";
import { test } from "node:test";
import type { InodeFacts } from "../../src/doctor/doctor_host.ts";
import { inodeCheck } from "../../src/doctor/inode_check.ts";
import { nativeCallsCheck } from "../../src/doctor/native_calls_check.ts";
import { pathBudgetCheck } from "../../src/doctor/path_budget_check.ts";
import { versionCheck } from "../../src/doctor/version_check.ts";
import { LIBRARY_VERSION } from "../../src/version.ts";
import { fakeHost, fakeValues } from "./_fake_host.ts";

const supported = (inodesTotal: bigint, inodesFree: bigint): InodeFacts => {
  return { supported: true, inodesTotal, inodesFree };
};

const INODES: readonly (readonly [InodeFacts, status: string, detail: RegExp])[] = [
  [supported(1000n, 900n), "PASS", /: 900 of 1000 inodes free \(10\.0% used\)$/],
  [supported(1000n, 50n), "PASS", /50 of 1000/],
  [supported(1000n, 49n), "WARN", /\(95\.1% used\): few are left/],
  [supported(1000n, 10n), "WARN", /10 of 1000/],
  [supported(1000n, 9n), "FAIL", /ENOSPC/],
  [supported(1000n, 0n), "FAIL", /\(100\.0% used\)/],
  [supported(1000n, 1001n), "PASS", /\(0\.0% used\)/],
  [supported(0n, 0n), "PASS", /not applicable/],
  [{ supported: false, detail: "no statfs here" }, "WARN", /no statfs here/],
];

for (const [facts, wanted, detail] of INODES) {
  const shown = facts.supported ? `${facts.inodesFree} of ${facts.inodesTotal} free` : "no answer";
  test(`inodeCheck() of ${shown} is ${wanted}`, async () => {
    const asked: string[] = [];
    const host = fakeHost({
      inodes: (directory) => (asked.push(directory), Promise.resolve(facts)),
    });
    const check = await inodeCheck(host);
    assert.deepEqual([check.name, check.status], ["filesystem:inodes", wanted], check.detail);
    assert.match(check.detail, detail);
    assert.deepEqual(asked, ["/home/ann/.local/state/running-process"]);
  });
}

test("inodeCheck() is not applicable on Windows, and makes no figures up", async () => {
  const values = fakeValues({ platform: "windows" });
  const { status, detail } = await inodeCheck(fakeHost({ values }));
  assert.equal(status, "PASS");
  assert.match(detail, /not applicable on Windows/);
  assert.ok(!detail.includes("inodes free"), detail);
});

test("pathBudgetCheck() says how many bytes of how many a backend's endpoint has", async () => {
  const { name, status, detail } = await pathBudgetCheck(fakeHost());
  assert.deepEqual([name, status], ["platform:path-budget", "WARN"]);
  assert.match(detail, /has 102 of 108 bytes \(Linux sun_path\): \/run\/user\/1000\/.*-be-0{32}\.sock/);
});

test("pathBudgetCheck() passes, warns from eight bytes below the limit on, and fails beyond it", async () => {
  const statuses = [];
  // A socket's path is 88 bytes longer than the directory.
  for (const length of [1, 11, 12, 19, 20]) {
    const environment = { XDG_RUNTIME_DIR: `/${"x".repeat(length - 1)}` };
    statuses.push((await pathBudgetCheck(fakeHost({ values: fakeValues({ environment }) }))).status);
  }
  assert.deepEqual(statuses, ["PASS", "PASS", "WARN", "WARN", "FAIL"]);
});

test("pathBudgetCheck() counts by the platform's limit", async () => {
  const macos = fakeValues({ platform: "macos", environment: { TMPDIR: "/tmp" } });
  assert.match(
    (await pathBudgetCheck(fakeHost({ values: macos }))).detail,
    /of 104 bytes \(macOS sun_path\)/,
  );
  const windows = fakeValues({ platform: "windows" });
  assert.match((await pathBudgetCheck(fakeHost({ values: windows }))).detail, /of 260 bytes/);
});

test("pathBudgetCheck() fails when the user's hash cannot be had", async () => {
  const host = fakeHost({ userHash: () => Promise.reject(new Error("no machine id")) });
  const { status, detail } = await pathBudgetCheck(host);
  assert.deepEqual([status, /no machine id/.test(detail)], ["FAIL", true]);
});

test("versionCheck() says which version this is, and what it speaks", () => {
  const { name, status, detail } = versionCheck();
  assert.deepEqual([name, status], ["build:version", "PASS"]);
  assert.equal(detail, `running-process ${LIBRARY_VERSION} — protocol v1, framing v1`);
});

test("nativeCallsCheck() passes when they work, and else says what to do about it", async () => {
  const good = await nativeCallsCheck(fakeHost());
  assert.deepEqual([good.name, good.status], ["runtime:native-calls", "PASS"]);
  const reason = "run with --allow-ffi=/lib/libc.so.6";
  const bad = await nativeCallsCheck(fakeHost({ nativeCalls: () => Promise.resolve({ ok: false, reason }) }));
  assert.deepEqual([bad.status, bad.detail.startsWith(reason)], ["WARN", true]);
});
