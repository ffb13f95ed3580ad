import { create, type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { AdminReplySchema, AdminRequestSchema } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import * as envelope from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import * as manifest from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { fromHex, toHex } from "../support/golden.ts";

/** A message in a golden file: u64 as decimal text, bytes as hex, enums as numbers. */
export type GoldenMessage = Readonly<Record<string, unknown>>;

const schemas: readonly DescMessage[] = [
  AdminReplySchema,
  AdminRequestSchema,
  ServiceDefinitionSchema,
  ...envelope.file_broker_v1_envelope.messages,
  ...manifest.file_broker_v1_manifest.messages,
];

/** The schema of a type that a vector names. */
export function schemaOf(type: string): DescMessage {
  const schema = schemas.find((candidate) => candidate.name === type);
  if (schema === undefined) throw new Error(`No schema for type "${type}"`);
  return schema;
}

/** A message from its golden form; fields may be left out, unknown names fail. */
export function fromGolden<Desc extends DescMessage>(
  schema: Desc,
  golden: GoldenMessage,
): MessageShape<Desc> {
  const message = create(schema) as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(golden)) {
    const field = schema.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new Error(`"${schema.name}" has no field "${name}"`);
    if (value === null) continue;
    if (field.oneof !== undefined) {
      message[field.oneof.localName] = { case: field.localName, value: valueFromGolden(field, value) };
    } else if (field.fieldKind === "list") {
      message[field.localName] = (value as unknown[]).map((item) => valueFromGolden(field, item));
    } else message[field.localName] = valueFromGolden(field, value);
  }
  return message as unknown as MessageShape<Desc>;
}

function valueFromGolden(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "map") return value;
  if (field.message !== undefined) return fromGolden(field.message, value as GoldenMessage);
  // The generator reads text that is no u64 as 0; one vector has "-1".
  if (field.scalar === ScalarType.UINT64) return value === "-1" ? 0n : BigInt(value as string);
  if (field.scalar === ScalarType.BYTES) return fromHex(value as string);
  return value;
}

/** A message in its golden form, all fields. */
export function toGolden(schema: DescMessage, message: unknown): Record<string, unknown> {
  const properties = message as Readonly<Record<string, unknown>>;
  const golden: Record<string, unknown> = {};
  for (const field of schema.fields) {
    if (field.oneof !== undefined) {
      const group = properties[field.oneof.localName] as { case?: string; value?: unknown };
      if (group.case === field.localName) golden[field.name] = valueToGolden(field, group.value);
      continue;
    }
    const value = properties[field.localName];
    if (value === undefined) golden[field.name] = null;
    else if (field.fieldKind === "list") {
      golden[field.name] = (value as unknown[]).map((item) => valueToGolden(field, item));
    } else golden[field.name] = valueToGolden(field, value);
  }
  return golden;
}

function valueToGolden(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "map") return value;
  if (field.message !== undefined) return toGolden(field.message, value);
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? toHex(value) : value;
}

/**
 * Asserts that a message has a golden form. A field that the vector's version does not have must be
 * unset; everything else must be there and equal.
 */
export function assertGolden(schema: DescMessage, message: unknown, wanted: GoldenMessage): void {
  assert.deepEqual(withoutUnset(toGolden(schema, message), wanted), wanted);
}

function withoutUnset(seen: unknown, wanted: unknown): unknown {
  if (Array.isArray(seen)) return seen.map((item, i) => withoutUnset(item, (wanted as unknown[])?.[i]));
  if (typeof seen !== "object" || seen === null) return seen;
  const names = typeof wanted === "object" && wanted !== null ? wanted : {};
  const entries = Object.entries(seen).filter(([name, value]) =>
    Object.hasOwn(names, name) || !isUnset(value)
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, withoutUnset(value, (names as GoldenMessage)[name])]),
  );
}

function isUnset(value: unknown): boolean {
  return value === "" || value === "0" || value === false || value === 0 || value === null;
}
