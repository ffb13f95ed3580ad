import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { create, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { manifestDigest, openManifest, sealManifest } from "../../src/service/manifest_seal.ts";
import { type CacheManifest, CacheManifestSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { fromHex, goldenVersions, loadGolden, toHex } from "../support/golden.ts";

interface ManifestVector {
  id: string;
  input: Record<string, unknown>;
  sealed_hex: string;
  self_sha256: string;
  sha256_of_input: string;
}

/** The fields of a message from the generator's JSON: u64 as decimal text, bytes as hexadecimal. */
function fields(schema: DescMessage, json: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const field = schema.fields.find((field) => field.name === name);
      assert.ok(field !== undefined, `${schema.name} has no field ${name}`);
      const one = (item: unknown): unknown => {
        if (field.message !== undefined) return fields(field.message, item as Record<string, unknown>);
        if (field.scalar === ScalarType.BYTES) return fromHex(item as string);
        return field.scalar === ScalarType.UINT64 ? BigInt(item as string) : item;
      };
      if (field.fieldKind === "map") return [field.localName, value];
      return [field.localName, field.fieldKind === "list" ? (value as unknown[]).map(one) : one(value)];
    }),
  );
}

function manifest(vector: ManifestVector): CacheManifest {
  return create(CacheManifestSchema, fields(CacheManifestSchema, vector.input));
}

for (const version of goldenVersions) {
  test(`manifests are sealed as by the reference ${version}, byte for byte`, (t) => {
    const { vectors } = loadGolden<ManifestVector>(version, "manifest");
    for (const vector of vectors) {
      const input = manifest(vector);
      const before = toHex(encodeMessage(CacheManifestSchema, input));
      const sealed = sealManifest(input);
      assert.equal(toHex(sealed.selfSha256), vector.self_sha256, vector.id);
      assert.equal(toHex(encodeMessage(CacheManifestSchema, sealed)), vector.sealed_hex, vector.id);
      assert.equal(toHex(encodeMessage(CacheManifestSchema, input)), before, `${vector.id} was changed`);
      assert.deepEqual(openManifest(fromHex(vector.sealed_hex)), sealed, vector.id);
      assert.equal(inputDigest(input), vector.sha256_of_input, vector.id);
    }
    t.diagnostic?.(`manifest ${version}: ${vectors.length} vectors`);
    assert.ok(vectors.length > 0);
  });
}

/** The generator hashed the input with its digest cleared. */
function inputDigest(input: CacheManifest): string {
  const digest = toHex(manifestDigest(input));
  const cleared = encodeMessage(CacheManifestSchema, { ...input, selfSha256: new Uint8Array() });
  assert.equal(digest, createHash("sha256").update(cleared).digest("hex"));
  return digest;
}
