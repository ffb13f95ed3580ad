import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import process from "node:process";
import test from "node:test";
import { hostIdentity, isSameHost } from "../../src/host/host_identity.ts";
import { fakeSystem } from "./_fake_system.ts";

test("hostIdentity() on Linux reads files and namespaces", async () => {
  const system = fakeSystem({
    platform: "linux",
    files: { "/var/lib/dbus/machine-id": "m\n", "/proc/sys/kernel/random/boot_id": "b\n" },
    links: { "/proc/self/ns/mnt": "mnt:[1]", "/proc/self/ns/pid": "pid:[2]" },
  });
  const identity = await hostIdentity(tmpdir(), system);
  assert.equal(identity.machineId, "m");
  assert.equal(identity.bootId, "b");
  assert.equal(identity.namespaceId, "mnt:[1]:pid:[2]");
  assert.equal(identity.hostname, hostname());
  assert.equal(identity.fsDevId, statSync(tmpdir(), { bigint: true }).dev);
});

test("hostIdentity() says unknown for what the host does not tell", async () => {
  const identity = await hostIdentity("/no/such/path", fakeSystem({ platform: "linux" }));
  assert.equal(identity.machineId, "unknown");
  assert.equal(identity.bootId, "unknown");
  assert.equal(identity.namespaceId, "mntns:unknown:pidns:unknown");
  assert.equal(identity.fsDevId, 0n);
});

test("hostIdentity() on macOS names the machine after the host", async () => {
  const identity = await hostIdentity(tmpdir(), fakeSystem({ platform: "macos" }));
  assert.equal(identity.machineId, `macos-${hostname()}`);
  assert.equal(identity.namespaceId, "");
});

test("hostIdentity() on Windows asks the registry, then the environment", async () => {
  const environment = { COMPUTERNAME: "PC" };
  const key = "reg.exe query HKLM\\SOFTWARE\\Microsoft\\Cryptography /v MachineGuid";
  const tools = { [key]: "\r\nHKEY_LOCAL_MACHINE\\…\r\n    MachineGuid    REG_SZ    1234-ab\r\n" };
  const asked = await hostIdentity(tmpdir(), fakeSystem({ platform: "windows", environment, tools }));
  assert.equal(asked.machineId, "1234-ab");
  assert.equal(asked.hostname, "PC");
  const named = await hostIdentity(tmpdir(), fakeSystem({ platform: "windows", environment }));
  assert.equal(named.machineId, "PC");
  const nameless = await hostIdentity(tmpdir(), fakeSystem({ platform: "windows" }));
  assert.equal(nameless.machineId, "unknown");
  assert.equal(nameless.hostname, "unknown");
});

test("hostIdentity() of this host is complete", async () => {
  const identity = await hostIdentity();
  for (const fact of [identity.hostname, identity.machineId, identity.bootId]) assert.notEqual(fact, "");
  if (process.platform === "linux") assert.match(identity.namespaceId, /^mnt:\[\d+\]:pid:\[\d+\]$/);
});

test("isSameHost() compares what was recorded only", async () => {
  const current = await hostIdentity();
  assert.equal(isSameHost(undefined, current), true);
  assert.equal(isSameHost(current, current), true);
  assert.equal(isSameHost({ ...current, machineId: "", bootId: "" }, current), true);
  assert.equal(isSameHost({ ...current, machineId: "other" }, current), false);
  assert.equal(isSameHost({ ...current, bootId: "other" }, current), false);
  assert.equal(isSameHost({ ...current, hostname: "other", namespaceId: "other" }, current), true);
});
