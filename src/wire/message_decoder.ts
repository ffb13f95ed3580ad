// This module has no I/O.
import { create } from "@bufbuild/protobuf";
import { type ByteReader, failDecode } from "./byte_reader.ts";
import { type FieldPlan, type MessagePlan, messagePlan } from "./message_plan.ts";
import {
  WIRE_END_GROUP,
  WIRE_I32,
  WIRE_I64,
  WIRE_LEN,
  WIRE_START_GROUP,
  WIRE_TYPE_NAMES,
  WIRE_VARINT,
} from "./message_plan.ts";
import { WireDecodeFailure } from "./wire_decode_error.ts";

/** How deep messages and groups may nest; the reference's decoder stops there. */
export const NESTING_MAX = 100;

/** A message's properties under their generated names. */
type Properties = Record<string, unknown>;

/** An empty message of a plan's type. */
export function newMessage(plan: MessagePlan): Properties {
  return create(plan.schema) as unknown as Properties;
}

/**
 * Reads fields into a message until `end`.
 *
 * As in the reference a value may read beyond `end` (never beyond the buffer): that is noticed
 * afterwards, so that both report the same failure.
 */
export function mergeFields(
  reader: ByteReader,
  plan: MessagePlan,
  message: Properties,
  end: number,
  depth: number,
): void {
  let field: FieldPlan | undefined;
  try {
    while (reader.position < end) {
      field = undefined;
      const key = reader.key();
      field = plan.byNumber.get(key >>> 3);
      if (field === undefined) skipField(reader, key, depth);
      else mergeField(reader, field, message, key & 7, depth);
    }
  } catch (error) {
    if (error instanceof WireDecodeFailure && field !== undefined) error.path.push(field.label);
    throw error;
  }
}

function mergeField(
  reader: ByteReader,
  field: FieldPlan,
  message: Properties,
  wireType: number,
  depth: number,
): void {
  // The reference takes a map field's length without looking at the wire type.
  if (field.kind === "map") return mergeMapEntry(reader, message[field.localName] as Properties, depth);
  if (wireType !== field.wireType) {
    const [actual, expected] = [WIRE_TYPE_NAMES[wireType], WIRE_TYPE_NAMES[field.wireType]];
    failDecode("UnexpectedWireType", `invalid wire type: ${actual} (expected ${expected})`);
  }
  if (field.oneof !== undefined) {
    const group = message[field.oneof] as { case?: string; value?: unknown };
    const previous = group.case === field.localName ? group.value : undefined;
    message[field.oneof] = { case: field.localName, value: readValue(reader, field, previous, depth) };
  } else if (field.isRepeated) {
    (message[field.localName] as unknown[]).push(readValue(reader, field, undefined, depth));
  } else {
    message[field.localName] = readValue(reader, field, message[field.localName], depth);
  }
}

/** One value; a nested message goes into `previous` when there is one. */
function readValue(reader: ByteReader, field: FieldPlan, previous: unknown, depth: number): unknown {
  switch (field.kind) {
    case "uint32":
      return reader.varint();
    case "uint64":
      return reader.varint64();
    case "enum":
      return reader.varint() | 0;
    case "bool":
      return reader.varint() !== 0 || reader.high !== 0;
    case "string":
      return reader.delimitedText();
    case "bytes":
      return reader.delimitedBytes();
    default: {
      const plan = messagePlan(field.message!);
      const message = previous === undefined ? newMessage(plan) : previous as Properties;
      mergeDelimited(reader, depth, (end) => mergeFields(reader, plan, message, end, depth - 1));
      return message;
    }
  }
}

/** Runs `merge` over what a length prefix announces. */
function mergeDelimited(reader: ByteReader, depth: number, merge: (end: number) => void): void {
  if (depth === 0) failDecode("RecursionLimitReached", "recursion limit reached");
  const length = reader.length();
  const end = reader.position + length;
  merge(end);
  if (reader.position !== end) failDecode("DelimitedLengthExceeded", "delimited length exceeded");
}

function mergeMapEntry(reader: ByteReader, entries: Properties, depth: number): void {
  const entry = { key: "", value: "" };
  mergeDelimited(reader, depth, (end) => {
    while (reader.position < end) {
      const key = reader.key();
      const number = key >>> 3;
      if (number > 2) skipField(reader, key, depth - 1);
      else if ((key & 7) === WIRE_LEN) entry[number === 1 ? "key" : "value"] = reader.delimitedText();
      else {
        const actual = WIRE_TYPE_NAMES[key & 7];
        failDecode("UnexpectedWireType", `invalid wire type: ${actual} (expected LengthDelimited)`);
      }
    }
  });
  // Assigning to "__proto__" would be lost.
  const value = { value: entry.value, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(entries, entry.key, value);
}

function skipField(reader: ByteReader, key: number, depth: number): void {
  if (depth === 0) failDecode("RecursionLimitReached", "recursion limit reached");
  switch (key & 7) {
    case WIRE_VARINT:
      reader.varint();
      return;
    case WIRE_I32:
      return reader.skip(4);
    case WIRE_I64:
      return reader.skip(8);
    case WIRE_LEN:
      return reader.skip(reader.length());
    case WIRE_START_GROUP:
      return skipGroup(reader, key >>> 3, depth);
    default:
      failDecode("UnexpectedEndGroupTag", "unexpected end group tag");
  }
}

function skipGroup(reader: ByteReader, number: number, depth: number): void {
  for (;;) {
    const key = reader.key();
    if ((key & 7) !== WIRE_END_GROUP) skipField(reader, key, depth - 1);
    else if (key >>> 3 === number) return;
    else failDecode("UnexpectedEndGroupTag", "unexpected end group tag");
  }
}
