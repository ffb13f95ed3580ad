import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import test from "node:test";
import { differingIdentityField, identityProblem } from "../../src/wire/daemon_process.ts";
import {
  type DaemonProcess,
  DaemonProcessSchema,
  type Endpoint,
  EndpointSchema,
} from "../../src/wire/gen/broker_v1_manifest_pb.ts";

const sha256 = new Uint8Array(32).fill(1);
const blake3 = new Uint8Array(32).fill(2);
const older = { exeSha256: sha256 };
const newer = { exeHashAlgorithm: "blake3", exeHash: blake3 };

const endpoint = (namespaceId: string, path: string): Endpoint =>
  create(EndpointSchema, { namespaceId, path });

function daemon(fields: Partial<Omit<DaemonProcess, "$typeName">>): DaemonProcess {
  const common = { pid: 42, exePath: "/z", ipcEndpoint: endpoint("n", "/s"), bootId: "b" };
  return create(DaemonProcessSchema, { ...common, ...fields });
}

test("differingIdentityField() names the first field that differs, in the reference's order", () => {
  const expected = daemon(older);
  const elsewhere = endpoint("n", "/other");
  let actual = daemon({ pid: 1, exePath: "/y", exeSha256: blake3, bootId: "c", ipcEndpoint: elsewhere });
  const steps = [
    [{ pid: 42 }, "pid"],
    [{ exePath: "/z" }, "exe_path"],
    [{ exeSha256: sha256 }, "exe_sha256"],
    [{ bootId: "b" }, "boot_id"],
    [{ ipcEndpoint: expected.ipcEndpoint }, "ipc_endpoint"],
  ] as const;
  for (const [fix, field] of steps) {
    assert.equal(differingIdentityField(actual, expected), field);
    actual = { ...actual, ...fix } as DaemonProcess;
  }
  assert.equal(differingIdentityField(actual, expected), undefined);
  const otherNamespace = daemon({ ...older, ipcEndpoint: endpoint("m", "/s") });
  assert.equal(differingIdentityField(otherNamespace, expected), "ipc_endpoint");
});

test("differingIdentityField() does not compare start and idle time", () => {
  const expected = daemon(older);
  const actual = daemon({ ...older, startedAtUnixMs: 5n, idleTimeoutSecs: 6 });
  assert.equal(differingIdentityField(actual, expected), undefined);
});

test("differingIdentityField() compares the newest hash that both carry", () => {
  const both = daemon({ ...older, ...newer });
  assert.equal(differingIdentityField(daemon(older), both), undefined);
  assert.equal(differingIdentityField(daemon(newer), both), undefined);
  // A newer peer that never had a SHA-256 sends zeros.
  assert.equal(differingIdentityField(daemon({ ...newer, exeSha256: new Uint8Array(32) }), both), undefined);
  assert.equal(differingIdentityField(daemon({ ...newer, exeHash: sha256 }), both), "exe_hash");
  assert.equal(differingIdentityField(daemon({ exeSha256: blake3 }), both), "exe_sha256");
});

test("differingIdentityField() never takes identities without a common hash for equal", () => {
  assert.equal(differingIdentityField(daemon(older), daemon(newer)), "exe_hash");
  assert.equal(differingIdentityField(daemon(newer), daemon(older)), "exe_sha256");
  assert.equal(differingIdentityField(daemon({}), daemon({})), "exe_sha256");
});

test("identityProblem() wants an endpoint and one usable hash", () => {
  assert.equal(identityProblem(daemon(older)), undefined);
  assert.equal(identityProblem(daemon(newer)), undefined);
  assert.equal(identityProblem(daemon({ ...older, exeHashAlgorithm: "sha512", exeHash: sha256 })), undefined);
  const { ipcEndpoint: _, ...nowhere } = daemon(older);
  assert.equal(identityProblem(nowhere), "daemon process is missing ipc_endpoint");
  const problems = [{ exeSha256: sha256.subarray(1) }, { ...newer, exeHash: sha256.subarray(2) }, {
    exeHashAlgorithm: "md5",
    exeHash: sha256,
  }].map((fields) => identityProblem(daemon(fields)));
  assert.deepEqual(problems, [
    "daemon process exe_sha256 must be 32 bytes, got 31",
    "daemon process exe_hash must be 32 bytes, got 30",
    'unsupported daemon executable hash algorithm "md5"; expected blake3',
  ]);
});
