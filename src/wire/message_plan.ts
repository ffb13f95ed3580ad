// This module has no I/O.
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** Wire types of the protobuf encoding, by number. */
export const WIRE_VARINT = 0;
/** Eight bytes. */
export const WIRE_I64 = 1;
/** A length and that many bytes. */
export const WIRE_LEN = 2;
/** The deprecated group's start. */
export const WIRE_START_GROUP = 3;
/** The deprecated group's end. */
export const WIRE_END_GROUP = 4;
/** Four bytes. */
export const WIRE_I32 = 5;

/** Names of the wire types by number, as error texts spell them. */
export const WIRE_TYPE_NAMES: readonly string[] = [
  "Varint",
  "SixtyFourBit",
  "LengthDelimited",
  "StartGroup",
  "EndGroup",
  "ThirtyTwoBit",
];

/** The value types that the schemas of broker_v1 use, and so the only ones the codec covers. */
export type ValueKind = "uint32" | "uint64" | "bool" | "enum" | "string" | "bytes" | "message" | "map";

/** What encoding and decoding need to know of one field. */
export interface FieldPlan {
  /** The field's number. */
  readonly number: number;
  /** The type of its values. */
  readonly kind: ValueKind;
  /** The property of the message, or the case of the oneof. */
  readonly localName: string;
  /** The property that holds the oneof this field belongs to. */
  readonly oneof: string | undefined;
  /** Whether the property is a list. */
  readonly isRepeated: boolean;
  /** Whether a zero value is told from an absent one. */
  readonly hasPresence: boolean;
  /** How each value is encoded. */
  readonly wireType: number;
  /** `Message.field` for error texts; the oneof's name in place of the field's. */
  readonly label: string;
  /** The nested message's schema. */
  readonly message: DescMessage | undefined;
}

/** What encoding and decoding need to know of one message type. */
export interface MessagePlan {
  /** The generated schema. */
  readonly schema: DescMessage;
  /** Its fields by number. */
  readonly byNumber: ReadonlyMap<number, FieldPlan>;
  /** In ascending order of number, which is the order on the wire. */
  readonly ordered: readonly FieldPlan[];
}

const VALUE_KINDS: ReadonlyMap<ScalarType, ValueKind> = new Map([
  [ScalarType.UINT32, "uint32"],
  [ScalarType.UINT64, "uint64"],
  [ScalarType.BOOL, "bool"],
  [ScalarType.STRING, "string"],
  [ScalarType.BYTES, "bytes"],
]);

// Descriptors never change, so this is a memo and not state.
const plans = new WeakMap<DescMessage, MessagePlan>();

/** The plan of a message type, made at first use. */
export function messagePlan(schema: DescMessage): MessagePlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    const ordered = schema.fields.map(fieldPlan).sort((a, b) => a.number - b.number);
    plan = { schema, ordered, byNumber: new Map(ordered.map((field) => [field.number, field])) };
    plans.set(schema, plan);
  }
  return plan;
}

function fieldPlan(field: DescField): FieldPlan {
  const kind = valueKind(field);
  const isRepeated = field.fieldKind === "list";
  const isVarint = kind === "uint32" || kind === "uint64" || kind === "bool" || kind === "enum";
  if (kind === undefined || isRepeated && isVarint) {
    throw new TypeError(`Cannot encode or decode field "${field}": the wire codec does not cover its type`);
  }
  return {
    number: field.number,
    kind,
    localName: field.localName,
    oneof: field.oneof?.localName,
    isRepeated,
    hasPresence: field.fieldKind !== "list" && field.fieldKind !== "map" && field.proto.proto3Optional,
    wireType: isVarint ? WIRE_VARINT : WIRE_LEN,
    label: `${field.parent.name}.${field.oneof?.name ?? field.name}`,
    message: field.message,
  };
}

function valueKind(field: DescField): ValueKind | undefined {
  if (field.fieldKind === "map") {
    const isText = field.mapKey === ScalarType.STRING && field.scalar === ScalarType.STRING;
    return isText ? "map" : undefined;
  }
  if (field.message !== undefined) return "message";
  if (field.enum !== undefined) return "enum";
  return field.scalar === undefined ? undefined : VALUE_KINDS.get(field.scalar);
}
