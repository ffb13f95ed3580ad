import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { backendName, explicitInstanceName, privateBrokerName } from "../../src/naming/endpoint_name.ts";
import { EndpointNameError } from "../../src/naming/endpoint_name_error.ts";
import { endpointDirectory, endpointPath } from "../../src/naming/endpoint_path.ts";
import { hash16 } from "../../src/naming/hash16.ts";
import type { Environment, Platform } from "../../src/naming/platform.ts";
import { utf8Length } from "../../src/naming/validate_name.ts";

const HASH = "0123456789abcdef";
const host = (platform: Platform, environment: Environment = {}) => ({ platform, environment, uid: 1000 });

function tooLong(length: number, max: number, label: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof EndpointNameError);
    assert.equal(error.kind, "PathTooLong");
    assert.equal(error.detail, `derived path exceeds ${label} (${length} > ${max})`);
    return true;
  };
}

test("endpointPath() on Linux falls back to /tmp only when the runtime folder is not set", () => {
  assert.equal(endpointPath("n", host("linux")), "/tmp/running-process-1000/broker/n.sock");
  assert.equal(endpointPath("n", host("linux", { XDG_RUNTIME_DIR: "" })), "running-process/broker/n.sock");
  const slash = host("linux", { XDG_RUNTIME_DIR: "/run/" });
  assert.equal(endpointPath("n", slash), "/run/running-process/broker/n.sock");
});

test("endpointPath() on macOS hashes the name", () => {
  assert.equal(endpointPath("n", host("macos")), `/tmp/.rp-1000/${hash16("n")}.sock`);
  const host502 = { platform: "macos", environment: { TMPDIR: "/var/T/" }, uid: 502 } as const;
  assert.equal(endpointPath("n", host502), `/var/T/.rp-502/${hash16("n")}.sock`);
});

test("endpointPath() on Windows is a pipe without a folder", () => {
  assert.equal(endpointPath("rpb-v1-x", host("windows")), "\\\\.\\pipe\\rpb-v1-x");
  assert.throws(() => endpointDirectory(host("windows")), TypeError);
});

test("endpointPath() refuses what does not fit, in bytes", () => {
  const linux = host("linux", { XDG_RUNTIME_DIR: "/run/user/1000" });
  assert.throws(
    () => endpointPath(privateBrokerName(HASH, "a".repeat(64)), linux),
    tooLong(135, 107, "Linux sun_path"),
  );
  assert.throws(
    () => endpointPath(explicitInstanceName(HASH, "a".repeat(64)), linux),
    tooLong(136, 107, "Linux sun_path"),
  );
  assert.equal(utf8Length(endpointPath(privateBrokerName(HASH, "a".repeat(36)), linux)), 107);
  assert.throws(() => endpointPath(privateBrokerName(HASH, "a".repeat(37)), linux), EndpointNameError);
  const backend = backendName(HASH, new Uint8Array(16));
  assert.equal(
    utf8Length(endpointPath(backend, host("linux", { XDG_RUNTIME_DIR: "/123456789012345678" }))),
    107,
  );
  const accented = host("linux", { XDG_RUNTIME_DIR: "/1234567890123456é8" });
  assert.throws(() => endpointPath(backend, accented), tooLong(108, 107, "Linux sun_path"));
});

test("endpointPath() knows the limits of macOS and Windows", () => {
  const folder = (length: number) => host("macos", { TMPDIR: `/${"t".repeat(length - 1)}` });
  assert.equal(utf8Length(endpointPath("n", folder(103 - 31))), 103);
  assert.throws(() => endpointPath("n", folder(104 - 31)), tooLong(104, 103, "macOS sun_path"));
  assert.equal(endpointPath("n".repeat(260 - 9), host("windows")).length, 260);
  assert.throws(
    () => endpointPath("n".repeat(261 - 9), host("windows")),
    tooLong(261, 260, "Windows MAX_PATH"),
  );
});

test("endpointPath() never yields a path that the kernel would cut off", () => {
  fc.assert(fc.property(
    fc.constantFrom<Platform>("linux", "macos"),
    fc.string({ unit: "grapheme", maxLength: 90 }),
    fc.stringMatching(/^[a-z0-9-]{1,64}$/),
    (platform, folder, service) => {
      const environment = { XDG_RUNTIME_DIR: folder, TMPDIR: folder };
      try {
        const path = endpointPath(privateBrokerName(HASH, service), host(platform, environment));
        assert.ok(utf8Length(path) < (platform === "linux" ? 108 : 104));
        assert.ok(path.endsWith(".sock"));
      } catch (error) {
        assert.ok(error instanceof EndpointNameError && error.kind === "PathTooLong");
      }
    },
  ));
});

test("backendName() insists on 16 random bytes", () => {
  assert.equal(backendName(HASH, new Uint8Array(16).fill(0xab)), `rpb-v1-${HASH}-be-${"ab".repeat(16)}`);
  assert.throws(() => backendName(HASH, new Uint8Array(15)), RangeError);
});
