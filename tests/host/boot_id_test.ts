import assert from "node:assert/strict";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { bootId, isSameBoot } from "../../src/host/boot_id.ts";
import { fakeSystem, osError } from "./_fake_system.ts";

const BOOT_FILE = "/proc/sys/kernel/random/boot_id";
const BOOT_TOOL = "sysctl -n kern.boottime";

test("bootId() on Linux is the kernel's, trimmed", async () => {
  const files = { [BOOT_FILE]: " 6f3c-1\n" };
  assert.equal(await bootId(fakeSystem({ platform: "linux", files })), "6f3c-1");
});

test("bootId() is unknown where the host does not say", async () => {
  for (const content of ["\n", osError("EACCES", -13)]) {
    const files = { [BOOT_FILE]: content };
    assert.equal(await bootId(fakeSystem({ platform: "linux", files })), "unknown");
  }
  assert.equal(await bootId(fakeSystem({ platform: "linux" })), "unknown");
  assert.equal(await bootId(fakeSystem({ platform: "macos" })), "unknown");
  assert.equal(await bootId(fakeSystem({ platform: "macos", tools: { [BOOT_TOOL]: "?" } })), "unknown");
});

test("bootId() does not guess when the runtime forbids reading it", async () => {
  const denial = Object.assign(new Error("Requires all access"), { name: "NotCapable" });
  const system = fakeSystem({ platform: "linux", files: { [BOOT_FILE]: denial } });
  await assert.rejects(bootId(system), (error) => {
    assert.ok(BrokerError.is(error) && error.code === "unsupported");
    assert.match((error as Error).message, /--allow-all/);
    return true;
  });
});

test("bootId() on macOS is the boot time in microseconds", async () => {
  const tools = { [BOOT_TOOL]: "{ sec = 1700000000, usec = 123456 } Tue Nov 14 22:13:20 2023\n" };
  assert.equal(await bootId(fakeSystem({ platform: "macos", tools })), "macos-boot-1700000000-123456");
});

test("bootId() on Windows is the boot time in seconds, rounded down", async () => {
  const clock = { nowMs: () => 1_700_000_000_900, uptimeS: () => 100.5 };
  assert.equal(await bootId(fakeSystem({ platform: "windows" }), clock), "windows-boot-1699999900");
});

test("bootId() of this host is known", async () => {
  assert.match(await bootId(), /^[0-9a-z-]{8,}$/);
});

test("isSameBoot() wants equal ids, and takes an empty one for no statement", () => {
  assert.equal(isSameBoot("a", "a"), true);
  assert.equal(isSameBoot("a", "b"), false);
  assert.equal(isSameBoot("", "b"), true);
  assert.equal(isSameBoot("a", ""), true);
});

test("isSameBoot() lets times of Windows boots differ by two seconds", () => {
  assert.equal(isSameBoot("windows-boot-100", "windows-boot-102"), true);
  assert.equal(isSameBoot("windows-boot-102", "windows-boot-100"), true);
  assert.equal(isSameBoot("windows-boot-100", "windows-boot-103"), false);
  assert.equal(isSameBoot("windows-boot-100", "macos-boot-101"), false);
});
