import assert from "node:assert/strict";
import test from "node:test";
import { fileIdentity, fileKey, isSameFile, isSettled } from "../../src/host/file_identity.ts";

const status = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n, ctimeNs: 5n };

test("isSameFile() and fileKey() tell every field apart", () => {
  const base = fileIdentity(status);
  assert.ok(isSameFile(base, fileIdentity({ ...status })));
  assert.equal(fileKey(base), fileKey(fileIdentity({ ...status })));
  for (const field of Object.keys(status)) {
    const other = fileIdentity({ ...status, [field]: 9n });
    assert.equal(isSameFile(base, other), false, field);
    assert.notEqual(fileKey(base), fileKey(other), field);
  }
});

test("isSettled() waits until both times lie more than two seconds back", () => {
  const at = (modifiedMs: bigint, changedMs: bigint) =>
    fileIdentity({ ...status, mtimeNs: modifiedMs * 1_000_000n, ctimeNs: changedMs * 1_000_000n });
  assert.equal(isSettled(at(10_000n, 10_000n), 12_001), true);
  assert.equal(isSettled(at(10_000n, 10_000n), 12_000.9), false);
  assert.equal(isSettled(at(10_000n, 11_000n), 12_001), false);
  assert.equal(isSettled(at(11_000n, 10_000n), 12_001), false);
});

test("isSettled() never trusts a time in the future", () => {
  assert.equal(isSettled(fileIdentity({ ...status, mtimeNs: 99_000_000_000n }), 10_000), false);
});
