import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { bootId } from "../../src/host/boot_id.ts";
import { currentDaemonIdentity } from "../../src/host/daemon_identity.ts";
import { ExecutableHasher, ownExecutablePath } from "../../src/host/executable.ts";
import { toHex } from "../support/golden.ts";

const hasher = new ExecutableHasher();
const endpoint = { namespaceId: "private:svc", path: "/tmp/be.sock" };

test("currentDaemonIdentity() carries both digests of this runtime's executable", async () => {
  const identity = await currentDaemonIdentity({ endpoint, idleTimeoutSecs: 30, hasher, nowMs: () => 1234 });
  const path = await ownExecutablePath();
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
  assert.equal(toHex(identity.exeSha256), sha256);
  assert.equal(toHex(identity.exeHash), toHex(await hasher.digest(path, "blake3")));
  assert.equal(identity.exeHashAlgorithm, "blake3");
  assert.equal(identity.exePath, path);
  assert.equal(identity.pid, process.pid);
  assert.equal(identity.bootId, await bootId());
  assert.equal(identity.startedAtUnixMs, 1234n);
  assert.equal(identity.idleTimeoutSecs, 30);
  assert.equal(identity.ipcEndpoint?.namespaceId, "private:svc");
  assert.equal(identity.ipcEndpoint?.path, "/tmp/be.sock");
});

test("currentDaemonIdentity() says nothing about an idle timeout there is not", async () => {
  const identity = await currentDaemonIdentity({ endpoint, hasher });
  assert.equal(identity.idleTimeoutSecs, undefined);
  const count = hasher.hashedCount;
  await currentDaemonIdentity({ endpoint, hasher });
  assert.equal(hasher.hashedCount, count);
});
