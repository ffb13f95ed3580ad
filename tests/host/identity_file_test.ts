import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { BrokerError } from "../../src/errors.ts";
import { IdentityError } from "../../src/host/daemon_digest.ts";
import {
  readIdentityFile,
  readIdentityFileStrictly,
  removeIdentityFile,
  writeIdentityFile,
} from "../../src/host/identity_file.ts";
import { parseIdentity, renderIdentity } from "../../src/host/identity_json.ts";
import { type DaemonProcess, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { fromHex, goldenVersions, loadGolden } from "../support/golden.ts";
import { countFds } from "../support/fd_count.ts";
import { makeTempDir } from "../support/temp_dir.ts";

interface IdentityVector {
  id: string;
  input: Record<string, unknown> & { ipc_endpoint: { namespace_id: string; path: string } };
  text: string;
}

const INPUT_KEYS = new Set([
  "pid",
  "exe_path",
  "exe_sha256",
  "exe_hash",
  "exe_hash_algorithm",
  "boot_id",
  "ipc_endpoint",
  "started_at_unix_ms",
  "idle_timeout_secs",
]);

function goldenIdentity({ id, input }: IdentityVector): DaemonProcess {
  for (const key of Object.keys(input)) assert.ok(INPUT_KEYS.has(key), `${id} has the unknown key ${key}`);
  const fields: MessageInitShape<typeof DaemonProcessSchema> = {
    pid: input["pid"] as number,
    exePath: input["exe_path"] as string,
    exeSha256: fromHex((input["exe_sha256"] ?? "") as string),
    exeHash: fromHex((input["exe_hash"] ?? "") as string),
    exeHashAlgorithm: (input["exe_hash_algorithm"] ?? "") as string,
    bootId: input["boot_id"] as string,
    ipcEndpoint: { namespaceId: input.ipc_endpoint.namespace_id, path: input.ipc_endpoint.path },
    startedAtUnixMs: BigInt(input["started_at_unix_ms"] as string),
  };
  if (input["idle_timeout_secs"] !== undefined) fields.idleTimeoutSecs = input["idle_timeout_secs"] as number;
  return create(DaemonProcessSchema, fields);
}

for (const version of goldenVersions) {
  test(`identity files equal those of the reference ${version}, both ways`, (t) => {
    const { vectors } = loadGolden<IdentityVector>(version, "identity_file");
    for (const vector of vectors) {
      assert.equal(renderIdentity(goldenIdentity(vector)), vector.text, vector.id);
      assert.deepEqual(parseIdentity(vector.text), goldenIdentity(vector), vector.id);
    }
    t.diagnostic?.(`identity_file ${version}: ${vectors.length} vectors`);
    assert.ok(vectors.length > 0);
  });
}

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) =>
  bytes.some((byte) => byte !== 0)
);
const identities = fc.record({
  pid: fc.nat(2 ** 32 - 1),
  exePath: fc.string({ unit: "grapheme" }),
  exeSha256: fc.oneof(fc.constant(new Uint8Array()), digest),
  exeHash: digest,
  exeHashAlgorithm: fc.constant("blake3"),
  bootId: fc.string({ unit: "grapheme" }),
  ipcEndpoint: fc.record({ namespaceId: fc.string(), path: fc.string() }),
  startedAtUnixMs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  idleTimeoutSecs: fc.nat(2 ** 32 - 1),
}, {
  requiredKeys: [
    "pid",
    "exePath",
    "exeSha256",
    "exeHash",
    "exeHashAlgorithm",
    "bootId",
    "ipcEndpoint",
    "startedAtUnixMs",
  ],
});

test("an identity survives its file, whatever is in it", () => {
  fc.assert(
    fc.property(identities, (fields) => {
      const identity = create(DaemonProcessSchema, fields);
      assert.deepEqual(parseIdentity(renderIdentity(identity)), identity);
    }),
    { numRuns: 60 },
  );
});

test("a file with both digests has the keys that each version insists on, with one value each", () => {
  const keysOf = (text: string) => Object.keys(JSON.parse(text) as Record<string, unknown>);
  const [early, late] = goldenVersions.map((version) =>
    loadGolden<IdentityVector>(version, "identity_file").vectors[0]!
  );
  const both = goldenIdentity(late!);
  both.exeSha256 = fromHex("22".repeat(32));
  const text = renderIdentity(both);
  const keys = keysOf(text);
  for (const golden of [early!, late!]) {
    const common = keys.filter((key) => keysOf(golden.text).includes(key));
    assert.deepEqual(common, keysOf(golden.text));
  }
  const value = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(value["legacy_exe_sha256"], value["exe_sha256"]);
  assert.deepEqual(value["exe_hash"], [...both.exeHash]);
});

test("parseIdentity() takes the extra SHA-256 of a later file, and zeroes for none", () => {
  const late = loadGolden<IdentityVector>("4.10.21", "identity_file").vectors[0]!;
  assert.equal(parseIdentity(late.text).exeSha256.length, 0);
  const value = JSON.parse(late.text) as Record<string, unknown>;
  value["legacy_exe_sha256"] = Array.from({ length: 32 }, () => 3);
  assert.deepEqual(parseIdentity(JSON.stringify(value)).exeSha256, new Uint8Array(32).fill(3));
  delete value["legacy_exe_sha256"];
  assert.equal(parseIdentity(JSON.stringify(value)).exeSha256.length, 0);
  value["legacy_exe_sha256"] = Array.from({ length: 31 }, () => 3);
  assert.throws(() => parseIdentity(JSON.stringify(value)), BrokerError);
});

test("parseIdentity() ignores keys it does not know and takes a missing idle timeout for none", () => {
  const golden = loadGolden<IdentityVector>("4.5.7", "identity_file").vectors[0]!;
  const value = JSON.parse(golden.text) as Record<string, unknown>;
  delete value["idle_timeout_secs"];
  assert.equal(parseIdentity(JSON.stringify({ ...value, more: [1] })).idleTimeoutSecs, undefined);
  assert.equal(
    parseIdentity(JSON.stringify({ ...value, idle_timeout_secs: null })).idleTimeoutSecs,
    undefined,
  );
});

test("parseIdentity() refuses what is no identity", () => {
  const golden = loadGolden<IdentityVector>("4.5.7", "identity_file").vectors[0]!;
  const value = JSON.parse(golden.text) as Record<string, unknown>;
  const broken: Record<string, unknown>[] = [
    { pid: -1 },
    { pid: 2 ** 32 },
    { pid: 1.5 },
    { pid: "1" },
    { pid: 12345678901234567890 },
    { exe_path: null },
    { exe_sha256: Array.from({ length: 31 }, () => 1) },
    { exe_sha256: Array.from({ length: 32 }, () => 256) },
    { exe_sha256: "11" },
    { boot_id: 7 },
    { ipc_endpoint: "x" },
    { ipc_endpoint: [] },
    { ipc_endpoint: { path: "/x" } },
    { started_at_unix_ms: -1 },
    { started_at_unix_ms: "1" },
    { started_at_unix_ms: ["1"] },
    { idle_timeout_secs: -1 },
    { exe_sha256: undefined },
    { exe_hash: Array.from({ length: 32 }, () => 1), exe_hash_algorithm: 7 },
    { exe_hash: Array.from({ length: 31 }, () => 1), exe_hash_algorithm: "blake3" },
    { exe_sha256: undefined, exe_hash: Array.from({ length: 32 }, () => 1), exe_hash_algorithm: "md5" },
  ];
  for (const change of broken) {
    const text = JSON.stringify({ ...value, ...change });
    assert.throws(() => parseIdentity(text), BrokerError, JSON.stringify(change));
  }
  for (const text of ["", "not json", "[]", "null", "1", golden.text.slice(0, -1)]) {
    assert.throws(() => parseIdentity(text), BrokerError, text);
  }
  const tooLong = golden.text.replace("1700000000000", "18446744073709551616");
  assert.throws(() => parseIdentity(tooLong), BrokerError);
});

test("identity files are written whole, private, and read back", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("identity.json");
  const identity = goldenIdentity(loadGolden<IdentityVector>("4.5.7", "identity_file").vectors[0]!);
  await writeIdentityFile(path, identity);
  assert.deepEqual(readdirSync(dir.path), ["identity.json"]);
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, "utf8"), renderIdentity(identity));
  assert.deepEqual(await readIdentityFile(path), identity);
  assert.deepEqual(await readIdentityFileStrictly(path), identity);
  await removeIdentityFile(path);
  assert.deepEqual(readdirSync(dir.path), []);
  await removeIdentityFile(path);
});

test("writeIdentityFile() refuses an identity nobody could verify and keeps the old file", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("identity.json"), "old");
  await assert.rejects(
    writeIdentityFile(dir.join("identity.json"), create(DaemonProcessSchema, { pid: 1 })),
    IdentityError,
  );
  assert.equal(readFileSync(dir.join("identity.json"), "utf8"), "old");
});

test("a missing identity is none; a broken one is none or an error, as the caller likes", async () => {
  await using dir = await makeTempDir();
  assert.equal(await readIdentityFile(dir.join("none")), undefined);
  assert.equal(await readIdentityFileStrictly(dir.join("none")), undefined);
  writeFileSync(dir.join("garbage"), "not json");
  const { text } = loadGolden<IdentityVector>("4.5.7", "identity_file").vectors[0]!;
  writeFileSync(dir.join("large"), text + " ".repeat(64 * 1024));
  mkdirSync(dir.join("directory"));
  for (const name of ["garbage", "large", "directory"]) {
    assert.equal(await readIdentityFile(dir.join(name)), undefined, name);
    await assert.rejects(readIdentityFileStrictly(dir.join(name)), BrokerError, name);
  }
  await removeIdentityFile(dir.join("directory"));
});

test("reading an identity closes its file", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("garbage"), "not json");
  const countOnLinux = () => process.platform === "linux" ? countFds() : 0;
  const before = countOnLinux();
  for (let round = 0; round < 50; round++) {
    assert.equal(await readIdentityFile(dir.join("garbage")), undefined);
  }
  assert.ok(countOnLinux() < before + 25, `${before} descriptors became ${countOnLinux()}`);
});
