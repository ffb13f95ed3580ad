import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { withOnlyDigest } from "../../src/host/daemon_digest.ts";
import { ManifestError, type ManifestErrorKind } from "../../src/service/manifest_error.ts";
import {
  MANIFEST_MEDIA_TYPE,
  manifestDigest,
  openManifest,
  sealManifest,
} from "../../src/service/manifest_seal.ts";
import {
  type CacheManifest,
  CacheManifestSchema,
  CacheRootSchema,
  type DaemonProcess,
  DaemonProcessSchema,
} from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";

const encode = (manifest: CacheManifest) => encodeMessage(CacheManifestSchema, manifest);
const sealed = () => sealManifest(create(CacheManifestSchema, { serviceName: "svc", createdAtUnixMs: 5n }));

function failsWith(kind: ManifestErrorKind, detail: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.detail, detail);
    return true;
  };
}

/** Field 102 with a digest. */
const digestField = (digest: Uint8Array) => new BinaryWriter().tag(102, 2).bytes(digest).finish();
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

test("sealManifest() completes a copy", () => {
  const manifest = create(CacheManifestSchema, { serviceName: "svc", selfSha256: Uint8Array.of(1) });
  const copy = sealManifest(manifest);
  assert.equal(copy.manifestSchemaVersion, 1);
  assert.equal(copy.mediaType, MANIFEST_MEDIA_TYPE);
  assert.deepEqual(copy.selfSha256, manifestDigest(copy));
  assert.deepEqual([manifest.mediaType, manifest.selfSha256], ["", Uint8Array.of(1)]);
  assert.deepEqual(sealManifest(copy), copy);
});

test("sealManifest() refuses maps whose order the digest would depend on", () => {
  const two = { a: "1", b: "2" };
  const one = { a: "1" };
  const manifest = (labels: Record<string, string>, platformPaths: Record<string, string>) =>
    create(CacheManifestSchema, { roots: [create(CacheRootSchema, { path: "/c", labels, platformPaths })] });
  const refused = failsWith(
    "Encode",
    /^manifest protobuf encode failed: (labels|platform_paths) of root "\/c" has 2/,
  );
  assert.throws(() => sealManifest(manifest(two, one)), refused);
  assert.throws(() => sealManifest(manifest(one, two)), refused);
  assert.deepEqual(openManifest(encode(sealManifest(manifest(one, one)))).roots[0]!.labels, one);
});

test("sealManifest() refuses a daemon with two digests, and takes it with either one", () => {
  const [exeSha256, exeHash] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const daemon = create(DaemonProcessSchema, { pid: 1, exeSha256, exeHash, exeHashAlgorithm: "blake3" });
  const manifest = (currentDaemon: DaemonProcess) => create(CacheManifestSchema, { currentDaemon });
  assert.throws(() => sealManifest(manifest(daemon)), failsWith("Encode", /current_daemon has two digests/));
  for (const algorithm of ["sha256", "blake3"] as const) {
    const sealed = openManifest(encode(sealManifest(manifest(withOnlyDigest(daemon, algorithm)))));
    const { exeSha256: early, exeHash: late, exeHashAlgorithm } = sealed.currentDaemon!;
    const expected = algorithm === "sha256" ? [32, 0, ""] : [0, 32, "blake3"];
    assert.deepEqual([early.length, late.length, exeHashAlgorithm], expected);
  }
});

test("openManifest() refuses any changed byte of what the digest covers", () => {
  const bytes = encode(sealed());
  fc.assert(fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
    const tampered = bytes.map((byte, index) => index === at ? byte ^ flip : byte);
    assert.throws(() => openManifest(tampered), ManifestError);
  }));
});

test("openManifest() refuses a manifest without a digest of 32 bytes", () => {
  const corrupt = failsWith("Corruption", /^manifest self_sha256 mismatch$/);
  assert.throws(() => openManifest(new Uint8Array()), corrupt);
  assert.throws(() => openManifest(encode({ ...sealed(), selfSha256: new Uint8Array() })), corrupt);
  assert.throws(
    () => openManifest(encode({ ...sealed(), selfSha256: sealed().selfSha256.slice(1) })),
    corrupt,
  );
});

test("openManifest() refuses a later schema before it looks at the digest", () => {
  const later = encode({ ...sealed(), manifestSchemaVersion: 2 });
  assert.throws(
    () => openManifest(later),
    failsWith("SchemaTooNew", /^manifest schema too new: got 2, supported 1$/),
  );
});

test("openManifest() refuses what is no manifest", () => {
  const refused = failsWith(
    "Decode",
    /^manifest protobuf decode failed: failed to decode Protobuf message: /,
  );
  assert.throws(() => openManifest(Uint8Array.of(0x0a, 0x05)), refused);
});

test("openManifest() accepts fields of later versions that the digest covers", () => {
  const known = new BinaryWriter().tag(1, 2).string("svc").finish();
  const unknown = new BinaryWriter().tag(300, 2).string("later").tag(301, 3).tag(301, 4).finish();
  const bytes = Uint8Array.from([
    ...known,
    ...unknown,
    ...digestField(sha256(Uint8Array.from([...known, ...unknown]))),
  ]);
  assert.equal(openManifest(bytes).serviceName, "svc");
});

test("openManifest() accepts maps in any order that the digest covers", () => {
  const entry = (key: string) => new BinaryWriter().tag(1, 2).string(key).tag(2, 2).string("v").finish();
  const root = new BinaryWriter().tag(5, 2).bytes(entry("b")).tag(5, 2).bytes(entry("a")).finish();
  const content = new BinaryWriter().tag(10, 2).bytes(root).finish();
  const manifest = openManifest(Uint8Array.from([...content, ...digestField(sha256(content))]));
  assert.deepEqual(manifest.roots[0]!.labels, { a: "v", b: "v" });
});

test("openManifest() accepts unknown fields beside the digest of the known ones", () => {
  const bytes = encode(sealed());
  const unknown = new BinaryWriter().tag(300, 2).string("later").finish();
  assert.deepEqual(openManifest(Uint8Array.from([...bytes, ...unknown])), sealed());
});

test("openManifest() never throws anything but a ManifestError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    assert.throws(() => openManifest(bytes), ManifestError);
  }));
});
