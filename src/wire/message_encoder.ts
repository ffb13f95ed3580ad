// This module has no I/O.
import type { ByteWriter } from "./byte_writer.ts";
import { type FieldPlan, type MessagePlan, messagePlan, WIRE_LEN } from "./message_plan.ts";

const UINT32_MAX = 2 ** 32 - 1;
const UINT64_MAX = (1n << 64n) - 1n;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

type Properties = Readonly<Record<string, unknown>>;

/**
 * Writes a message's fields in ascending order of number, omitting what has its default value.
 *
 * @throws {TypeError} When a value has the wrong type, or text holds half of a surrogate pair.
 * @throws {RangeError} When a number does not fit its field.
 */
export function writeFields(writer: ByteWriter, plan: MessagePlan, message: Properties): void {
  for (const field of plan.ordered) {
    if (field.oneof !== undefined) {
      const group = message[field.oneof] as { case?: string; value?: unknown } | undefined;
      if (group?.case === field.localName) writeField(writer, field, group.value);
      continue;
    }
    const value = message[field.localName];
    if (value === undefined || value === null) continue;
    if (field.isRepeated) { for (const item of value as unknown[]) writeField(writer, field, item); }
    else if (field.kind === "map") writeMap(writer, field, value as Readonly<Record<string, string>>);
    else if (value instanceof EmbeddedMessage) writeEmbedded(writer, field, value);
    else if (field.hasPresence || !isDefault(value)) writeField(writer, field, value);
  }
}

/** A message that stands where bytes are expected; it is written there and nowhere else before. */
export class EmbeddedMessage {
  readonly plan: MessagePlan;
  readonly message: Properties;

  /** Embeds a message, or just its fields that are not default. */
  constructor(plan: MessagePlan, message: Properties) {
    this.plan = plan;
    this.message = message;
  }
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0 || value === "" || value === 0n || value === false;
}

/** Bytes that turn out to be none are omitted like any default. */
function writeEmbedded(writer: ByteWriter, field: FieldPlan, value: EmbeddedMessage): void {
  const before = writer.position;
  writer.varint(field.number * 8 + field.wireType);
  const start = writer.beginDelimited();
  writeFields(writer, value.plan, value.message);
  if (writer.position === start) writer.position = before;
  else writer.endDelimited(start);
}

function writeField(writer: ByteWriter, field: FieldPlan, value: unknown): void {
  writer.varint(field.number * 8 + field.wireType);
  switch (field.kind) {
    case "uint32":
      return writer.varint(uint32(field, value));
    case "uint64":
      return writer.varint64(uint64(field, value));
    case "enum": {
      const number = int32(field, value);
      return number >= 0 ? writer.varint(number) : writer.varint64(BigInt.asUintN(64, BigInt(number)));
    }
    case "bool":
      if (typeof value !== "boolean") throw wrongType(field, value, "a boolean");
      return writer.varint(value ? 1 : 0);
    case "string":
      return writer.delimitedText(text(field, value));
    case "bytes":
      if (!(value instanceof Uint8Array)) throw wrongType(field, value, "a Uint8Array");
      writer.varint(value.length);
      return writer.raw(value);
    default: {
      if (typeof value !== "object" || value === null) throw wrongType(field, value, "a message");
      return writeNested(writer, messagePlan(field.message!), value as Properties);
    }
  }
}

function writeNested(writer: ByteWriter, plan: MessagePlan, message: Properties): void {
  const start = writer.beginDelimited();
  writeFields(writer, plan, message);
  writer.endDelimited(start);
}

/** Sorted by key, so that equal maps have equal bytes. Empty keys and values are omitted like any default. */
function writeMap(writer: ByteWriter, field: FieldPlan, entries: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(entries).sort()) {
    writer.varint(field.number * 8 + WIRE_LEN);
    const start = writer.beginDelimited();
    for (const [index, part] of [key, entries[key]].entries()) {
      const value = text(field, part);
      if (value === "") continue;
      writer.varint((index + 1) * 8 + WIRE_LEN);
      writer.delimitedText(value);
    }
    writer.endDelimited(start);
  }
}

function uint32(field: FieldPlan, value: unknown): number {
  if (typeof value !== "number") throw wrongType(field, value, "a number");
  if (Number.isInteger(value) && value >= 0 && value <= UINT32_MAX) return value;
  throw new RangeError(
    `Cannot encode "${field.label}": saw ${value}, wanted an integer from 0 to ${UINT32_MAX}`,
  );
}

function int32(field: FieldPlan, value: unknown): number {
  if (typeof value !== "number") throw wrongType(field, value, "a number");
  if (Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX) return value;
  throw new RangeError(`Cannot encode "${field.label}": saw ${value}, wanted a 32-bit integer`);
}

function uint64(field: FieldPlan, value: unknown): bigint {
  if (typeof value !== "bigint") throw wrongType(field, value, "a bigint");
  if (value >= 0n && value <= UINT64_MAX) return value;
  throw new RangeError(
    `Cannot encode "${field.label}": saw ${value}, wanted a bigint from 0 to ${UINT64_MAX}`,
  );
}

function text(field: FieldPlan, value: unknown): string {
  if (typeof value !== "string") throw wrongType(field, value, "a string");
  if (value.isWellFormed()) return value;
  throw new TypeError(
    `Cannot encode "${field.label}": the text has a lone surrogate, wanted well-formed text`,
  );
}

function wrongType(field: FieldPlan, value: unknown, wanted: string): TypeError {
  return new TypeError(
    `Cannot encode "${field.label}": saw a value of type ${typeof value}, wanted ${wanted}`,
  );
}
