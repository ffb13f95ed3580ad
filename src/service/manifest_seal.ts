import { createHash } from "node:crypto";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { concatBytes, constantTimeEqual } from "../wire/bytes.ts";
import {
  type CacheManifest,
  CacheManifestSchema,
  type DaemonProcess,
} from "../wire/gen/broker_v1_manifest_pb.ts";
import { decodeStrict, encodeMessage, tryDecodeStrict } from "../wire/strict_decode.ts";
import { WireDecodeError } from "../wire/wire_decode_error.ts";
import { ManifestError } from "./manifest_error.ts";

/** The newest manifest schema this package reads, and the one it writes. */
export const MANIFEST_SCHEMA_VERSION = 1;

/** What a manifest's media type is unless it names another. */
export const MANIFEST_MEDIA_TYPE = "application/vnd.running-process.cache-manifest.v1";

/** The field that holds the digest of all others. */
const DIGEST_FIELD_NUMBER = CacheManifestSchema.field.selfSha256.number;

/**
 * Completes a manifest with schema version, media type and the digest over its own content (protocol 9.2).
 *
 * @param manifest The manifest; it is not changed.
 * @returns A sealed copy.
 * @throws {ManifestError} With kind `Encode` when the reference would take the manifest for corrupt: it encodes maps
 * of two entries or more in random order, and each version drops one of two digests of the daemon (see
 * `withOnlyDigest()`).
 */
export function sealManifest(manifest: Readonly<CacheManifest>): CacheManifest {
  requireOrderlessMaps(manifest);
  requireOneDigest(manifest.currentDaemon);
  const sealed = decodeStrict(CacheManifestSchema, encodeMessage(CacheManifestSchema, manifest));
  sealed.manifestSchemaVersion = MANIFEST_SCHEMA_VERSION;
  if (sealed.mediaType === "") sealed.mediaType = MANIFEST_MEDIA_TYPE;
  sealed.selfSha256 = manifestDigest(sealed);
  return sealed;
}

/**
 * The SHA-256 over a manifest's canonical encoding without its digest (protocol 9.2).
 *
 * @returns 32 bytes.
 */
export function manifestDigest(manifest: Readonly<CacheManifest>): Uint8Array {
  return sha256(encodeMessage(CacheManifestSchema, { ...manifest, selfSha256: new Uint8Array() }));
}

/**
 * Decodes a sealed manifest and verifies its digest (protocol 9.3).
 *
 * The digest may be of the canonical encoding of the known fields, which is what the reference verifies, or of the
 * bytes as they are, which covers fields of later versions and any order of maps.
 *
 * @param bytes The content of a manifest file.
 * @throws {ManifestError} With kind `Decode`, `SchemaTooNew` or `Corruption`.
 */
export function openManifest(bytes: Uint8Array): CacheManifest {
  const manifest = tryDecodeStrict(CacheManifestSchema, bytes);
  if (manifest instanceof WireDecodeError) {
    const detail = `manifest protobuf decode failed: ${manifest.detail}`;
    throw new ManifestError("Decode", detail, { cause: manifest });
  }
  const { manifestSchemaVersion: got, selfSha256 } = manifest;
  if (got > MANIFEST_SCHEMA_VERSION) {
    const detail = `manifest schema too new: got ${got}, supported ${MANIFEST_SCHEMA_VERSION}`;
    throw new ManifestError("SchemaTooNew", detail);
  }
  const isGenuine = constantTimeEqual(selfSha256, manifestDigest(manifest)) ||
    constantTimeEqual(selfSha256, sha256(withoutDigest(bytes)));
  if (!isGenuine) throw new ManifestError("Corruption", "manifest self_sha256 mismatch");
  return manifest;
}

/** The bytes of every field but the digest. They have been decoded before, so each field is well-formed. */
function withoutDigest(bytes: Uint8Array): Uint8Array {
  const reader = new BinaryReader(bytes);
  const kept: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    reader.skip(wireType, number);
    if (number !== DIGEST_FIELD_NUMBER) kept.push(bytes.subarray(start, reader.pos));
  }
  return concatBytes(...kept);
}

function requireOrderlessMaps(manifest: Readonly<CacheManifest>): void {
  for (const { path, labels, platformPaths } of manifest.roots) {
    for (const [field, map] of [["labels", labels], ["platform_paths", platformPaths]] as const) {
      const count = Object.keys(map).length;
      if (count < 2) continue;
      throw encodeError(`${field} of root "${path}" has ${count} entries, at most 1 has a stable digest`);
    }
  }
}

function requireOneDigest(daemon: DaemonProcess | undefined): void {
  if (daemon === undefined || daemon.exeSha256.length === 0) return;
  if (daemon.exeHash.length === 0 && daemon.exeHashAlgorithm === "") return;
  throw encodeError("current_daemon has two digests, no version of the reference verifies both");
}

function encodeError(reason: string): ManifestError {
  return new ManifestError("Encode", `manifest protobuf encode failed: ${reason}`);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
