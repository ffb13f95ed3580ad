import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { copyFile, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { BrokerError } from "../../src/errors.ts";
import { currentDaemonIdentity } from "../../src/host/daemon_identity.ts";
import { IdentityError } from "../../src/host/daemon_digest.ts";
import { ExecutableHasher } from "../../src/host/executable.ts";
import type { SystemAccess } from "../../src/host/system_access.ts";
import { systemAccess } from "../../src/host/system_access.ts";
import {
  verifyProcess,
  VerifyProcessError,
  type VerifyProcessErrorKind,
} from "../../src/host/verify_process.ts";
import { type DaemonProcess, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { fakeSystem, osError } from "./_fake_system.ts";

const isLinux = process.platform === "linux";
const hasher = new ExecutableHasher();
const endpoint = { namespaceId: "shared", path: "/tmp/be.sock" };
const NO_BYTES = new Uint8Array();

const STAT = `42 (x) S ${Array.from({ length: 49 }, (_, index) => index).join(" ")}`;

/** An identity of process 42 on the fake host below. */
function expected(fields: Partial<DaemonProcess> = {}): DaemonProcess {
  const exeSha256 = new Uint8Array(32).fill(1);
  const identity = { pid: 42, exePath: "/opt/x", bootId: "b-1", exeSha256, ipcEndpoint: endpoint };
  return { ...create(DaemonProcessSchema, identity), ...fields };
}

/** A Linux host on which process 42 runs `/opt/x`, unless an answer is replaced. */
function host(
  files: Record<string, string | Error> = {},
  links: Record<string, string | Error> = {},
): SystemAccess {
  return fakeSystem({
    platform: "linux",
    files: { "/proc/sys/kernel/random/boot_id": "b-1", "/proc/42/stat": STAT, ...files },
    links: { "/proc/42/exe": "/opt/x", ...links },
  });
}

async function assertFails(
  kind: VerifyProcessErrorKind,
  detail: string,
  identity: DaemonProcess,
  system: SystemAccess = systemAccess,
): Promise<void> {
  await assert.rejects(verifyProcess(identity, hasher, system), (error) => {
    assert.ok(error instanceof VerifyProcessError, String(error));
    assert.equal(error.kind, kind);
    assert.equal(error.code, "peer-rejected");
    assert.equal(error.detail, detail);
    return true;
  });
}

test("verifyProcess() accepts this process by either digest", async () => {
  const own = await currentDaemonIdentity({ endpoint, hasher });
  for (
    const identity of [own, { ...own, exeSha256: NO_BYTES }, {
      ...own,
      exeHash: NO_BYTES,
      exeHashAlgorithm: "",
    }]
  ) {
    assert.equal((await verifyProcess(identity, hasher)).pid, process.pid);
  }
  assert.equal((await verifyProcess({ ...own, bootId: "" }, hasher)).pid, process.pid);
});

test("verifyProcess() takes zeroes beside a BLAKE3 for no SHA-256", async () => {
  const own = await currentDaemonIdentity({ endpoint, hasher });
  const zeroes = { ...own, exeSha256: new Uint8Array(32) };
  assert.equal((await verifyProcess(zeroes, hasher)).pid, process.pid);
});

test("verifyProcess() follows links on the way to the executable", async () => {
  await using dir = await makeTempDir();
  const own = await currentDaemonIdentity({ endpoint, hasher });
  symlinkSync(own.exePath, dir.join("link"));
  assert.equal((await verifyProcess({ ...own, exePath: dir.join("link") }, hasher)).pid, process.pid);
});

test("verifyProcess() does not take a lack of permission for a wrong process", async () => {
  const denial = Object.assign(new Error("Requires all access"), { name: "NotCapable" });
  const isUnsupported = (error: unknown) => BrokerError.is(error) && error.code === "unsupported";
  for (const system of [host({ "/proc/42/stat": denial }), host({}, { "/proc/42/exe": denial })]) {
    await assert.rejects(verifyProcess(expected(), hasher, system), isUnsupported);
  }
  const windows = fakeSystem({ platform: "windows" });
  await assert.rejects(verifyProcess(expected({ bootId: "" }), hasher, windows), isUnsupported);
});

test("verifyProcess() refuses this process under another digest", async () => {
  const own = await currentDaemonIdentity({ endpoint, hasher });
  const other = own.exeSha256.map((byte) => byte ^ 1);
  const pid = process.pid;
  await assertFails("ExeSha256Mismatch", `daemon executable sha256 mismatch for pid ${pid}`, {
    ...own,
    exeSha256: other,
  });
  await assertFails("ExecutableHashMismatch", `daemon executable blake3 hash mismatch for pid ${pid}`, {
    ...own,
    exeSha256: NO_BYTES,
    exeHash: other,
  });
});

test("verifyProcess() checks number, boot, process, path and content in this order", async () => {
  const wrongBoot = "daemon boot id mismatch: expected b-2, current b-1";
  const all = { pid: 0, bootId: "b-2", exePath: "/opt/y" };
  await assertFails("InvalidPid", "invalid daemon pid: 0", expected(all), host());
  await assertFails("BootIdMismatch", wrongBoot, expected({ ...all, pid: 2 ** 31 }), host());
  await assertFails(
    "InvalidPid",
    "invalid daemon pid: 2147483648",
    expected({ ...all, pid: 2 ** 31, bootId: "b-1" }),
    host(),
  );
  await assertFails(
    "NotFound",
    "process not found: 41",
    expected({ ...all, pid: 41, bootId: "b-1" }),
    host(),
  );
  const paths = 'daemon executable path mismatch for pid 42: expected "/opt/y", actual "/opt/x"';
  await assertFails("ExePathMismatch", paths, expected({ exePath: "/opt/y" }), host());
});

test("verifyProcess() says what it could not find out", async () => {
  const denied = osError("EACCES", -13);
  const unreadable = host({ "/proc/42/stat": denied });
  await assert.rejects(verifyProcess(expected(), hasher, unreadable), (error) => {
    assert.ok(error instanceof VerifyProcessError && error.kind === "Handle");
    assert.match(
      error.detail,
      /^process handle operation failed for pid 42: .*Permission denied \(os error 13\)$/,
    );
    return true;
  });
  const noPath = "failed to resolve executable path for pid 42: Permission denied (os error 13)";
  await assertFails("ExePath", noPath, expected(), host({}, { "/proc/42/exe": denied }));
});

test("verifyProcess() names an executable that cannot be hashed", async () => {
  // No process of this host may be number 2^31 - 1, so there is nothing to read.
  const pid = 2 ** 31 - 1;
  const system = host({ [`/proc/${pid}/stat`]: STAT }, { [`/proc/${pid}/exe`]: "/opt/x" });
  const reason =
    'failed to hash executable for pid 2147483647 at "/opt/x": No such file or directory (os error 2)';
  await assertFails("ExeHash", reason, expected({ pid }), system);
});

test("verifyProcess() refuses an identity without a usable digest", async () => {
  const cases: [Partial<DaemonProcess>, string][] = [
    [{ exeSha256: new Uint8Array(31) }, "daemon process exe_sha256 must be 32 bytes, got 31"],
    [
      { exeSha256: NO_BYTES, exeHashAlgorithm: "md5" },
      'unsupported daemon executable hash algorithm "md5"; expected blake3',
    ],
    [{ exeSha256: NO_BYTES, exeHashAlgorithm: "blake3" }, "daemon process exe_hash must be 32 bytes, got 0"],
  ];
  for (const [fields, detail] of cases) {
    await assert.rejects(verifyProcess(expected(fields), hasher, host()), (error) => {
      assert.ok(error instanceof IdentityError);
      assert.equal(error.detail, detail);
      return true;
    });
  }
});

test("verifyProcess() refuses a process whose executable was replaced", async () => {
  if (!isLinux) return await assertFails("InvalidPid", "invalid daemon pid: 0", expected({ pid: 0 }));
  await using dir = await makeTempDir();
  await copyFile("/bin/sleep", dir.join("daemon"));
  const exeSha256 = await hasher.digest(dir.join("daemon"), "sha256");
  await using child = startProcess({ command: dir.join("daemon"), args: ["60"] });
  const identity = expected({ pid: child.pid, exePath: dir.join("daemon"), exeSha256, bootId: "" });
  await waitUntilRunning(child.pid, dir.join("daemon"));
  assert.equal((await verifyProcess(identity, hasher)).pid, child.pid);
  await writeFile(dir.join("impostor"), "#!/bin/sh\n", { mode: 0o700 });
  await rename(dir.join("impostor"), dir.join("daemon"));
  const paths = `expected "${dir.join("daemon")}", actual "${dir.join("daemon")} (deleted)"`;
  await assertFails(
    "ExePathMismatch",
    `daemon executable path mismatch for pid ${child.pid}: ${paths}`,
    identity,
  );
});

test("verifyProcess() refuses a process that ends while it is verified", async () => {
  const own = await currentDaemonIdentity({ endpoint, hasher });
  if (!isLinux) return assert.equal((await verifyProcess(own, hasher)).pid, process.pid);
  let reads = 0;
  const system: SystemAccess = {
    ...systemAccess,
    readText: (path) => {
      const isSecondLook = path.endsWith("/stat") && ++reads > 1;
      return isSecondLook ? Promise.reject(osError("ENOENT", -2)) : systemAccess.readText(path);
    },
  };
  await assertFails("NotFound", `process not found: ${process.pid}`, own, system);
});

test("verifyProcess() hashes what the process runs, not what has its path by now", async () => {
  if (!isLinux) return await assertFails("InvalidPid", "invalid daemon pid: 0", expected({ pid: 0 }));
  await using dir = await makeTempDir();
  const path = dir.join("daemon");
  await copyFile("/bin/sleep", path);
  await writeFile(dir.join("impostor"), "#!/bin/sh\n");
  const [genuine, impostor] = await Promise.all(
    [path, dir.join("impostor")].map((file) => hasher.digest(file, "sha256")),
  );
  await using child = startProcess({ command: path, args: ["60"] });
  await waitUntilRunning(child.pid, path);
  await rename(dir.join("impostor"), path);
  // As if the file had been replaced between the look at the path and the hashing.
  const system: SystemAccess = { ...systemAccess, readLink: () => Promise.resolve(path) };
  const identity = expected({ pid: child.pid, exePath: path, bootId: "" });
  assert.equal((await verifyProcess({ ...identity, exeSha256: genuine! }, hasher, system)).pid, child.pid);
  const mismatch = `daemon executable sha256 mismatch for pid ${child.pid}`;
  await assertFails("ExeSha256Mismatch", mismatch, { ...identity, exeSha256: impostor! }, system);
});

/** A child runs its parent's executable until it has called exec. */
async function waitUntilRunning(pid: number, path: string): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (await systemAccess.readLink(`/proc/${pid}/exe`) !== path) {
    assert.ok(Date.now() < deadlineMs, `${path} was not started in time`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
