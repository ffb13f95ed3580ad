import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import {
  currentEffectiveUid,
  currentPeerIdentity,
  currentUid,
  SidError,
  userSidHash,
} from "../../src/host/user.ts";
import { BrokerError } from "../../src/errors.ts";
import { userHash } from "../../src/naming/user_identity.ts";
import { fakeSystem, osError } from "./_fake_system.ts";

const MACHINE = "/etc/machine-id";
const DBUS = "/var/lib/dbus/machine-id";
const BOOT = "/proc/sys/kernel/random/boot_id";
const IOREG = "ioreg -d2 -c IOPlatformExpertDevice";
const WHOAMI = "whoami.exe /user /fo csv /nh";

test("userSidHash() on Linux hashes uid and machine id", async () => {
  const system = fakeSystem({
    platform: "linux",
    files: { [MACHINE]: "3d1219c7c4c5404aaa1f6d2a48adfda4\n" },
  });
  assert.equal(await userSidHash(system, 0), "fabb4490c21b4bbc");
});

test("userSidHash() on Linux falls back to the bus's machine id when the first is missing or empty", async () => {
  for (const first of [undefined, " \n"]) {
    const files = { ...(first === undefined ? {} : { [MACHINE]: first }), [DBUS]: "abc" };
    assert.equal(await userSidHash(fakeSystem({ platform: "linux", files }), 1000), "8f1151d30e2c8ee1");
  }
});

test("userSidHash() on Linux without a machine id falls back to the boot id", async () => {
  const system = fakeSystem({ platform: "linux", files: { [BOOT]: "b-1\n" } });
  assert.equal(await userSidHash(system, 7), userHash("7:boot:b-1"));
});

test("userSidHash() fails where the host says nothing", async () => {
  for (const platform of ["linux", "macos", "windows"] as const) {
    await assert.rejects(userSidHash(fakeSystem({ platform }), 1), (error) => {
      assert.ok(error instanceof SidError);
      assert.match(error.detail, /^failed to read platform user identity: /);
      return true;
    });
  }
});

test("userSidHash() fails when the machine id cannot be read", async () => {
  const files = { [MACHINE]: osError("EACCES", -13), [DBUS]: "abc", [BOOT]: "b-1" };
  await assert.rejects(userSidHash(fakeSystem({ platform: "linux", files }), 1), (error) => {
    assert.ok(error instanceof SidError);
    const reason = `read ${MACHINE}: Permission denied (os error 13)`;
    assert.equal(error.detail, `failed to read platform user identity: ${reason}`);
    return true;
  });
});

test("userSidHash() on macOS and Windows takes what the system's tools print", async () => {
  const mac = fakeSystem({ platform: "macos", tools: { [IOREG]: '  "IOPlatformUUID" = "ABC"\n' } });
  assert.equal(await userSidHash(mac, 501), userHash("501:ABC"));
  const windows = fakeSystem({ platform: "windows", tools: { [WHOAMI]: '"h\\u","S-1-5-18"\r\n' } });
  assert.equal(await userSidHash(windows), userHash("windows-sid:010100000000000512000000"));
  assert.equal(await currentPeerIdentity(windows), "windows-sid:010100000000000512000000");
});

test("userSidHash() of this host follows its own machine id", async () => {
  if (process.platform !== "linux") return assert.match(await userSidHash(), /^[0-9a-f]{16}$/);
  let machine: string;
  try {
    machine = readFileSync(MACHINE, "utf8").trim();
  } catch {
    return assert.match(await userSidHash(), /^[0-9a-f]{16}$/);
  }
  const expected = machine === ""
    ? /^[0-9a-f]{16}$/
    : new RegExp(`^${userHash(`${process.getuid!()}:${machine}`)}$`);
  assert.match(await userSidHash(), expected);
});

test("the uids are those of the process", async () => {
  if (process.platform === "win32") {
    assert.throws(currentUid, (error) => BrokerError.is(error) && error.code === "unsupported");
    return;
  }
  assert.equal(currentUid(), process.getuid!());
  assert.equal(currentEffectiveUid(), process.geteuid!());
  assert.equal(await currentPeerIdentity(), String(process.geteuid!()));
});
