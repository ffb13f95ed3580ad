// This module has no I/O.
import { JsonFloat, jsonFloatText } from "./json_float.ts";

/** What an admin body is made of. A `bigint` is written as a whole number of any size. */
export type SortedJsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonFloat
  | readonly SortedJsonValue[]
  | SortedJsonObject;

/** An object of an admin body; the order of its members does not matter. */
export type SortedJsonObject = { readonly [member: string]: SortedJsonValue };

/** Where UTF-16 keeps the halves of the characters above U+FFFF. */
const SURROGATES = { first: 0xd800, last: 0xdfff };

/**
 * Writes compact JSON with the members of every object sorted by their UTF-8 bytes (protocol 6.11).
 *
 * A plain number that is no safe integer is written as a float; what is not finite becomes `null`.
 *
 * @param value The value; must not contain itself.
 * @returns One line without spaces and without a line end.
 */
export function renderSortedJson(value: SortedJsonValue): string {
  if (value === null) return "null";
  if (value instanceof JsonFloat) return jsonFloatText(value.value);
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Number.isSafeInteger(value) ? String(value) : jsonFloatText(value);
    case "boolean":
    case "bigint":
      return String(value);
  }
  return isArray(value) ? `[${value.map(renderSortedJson).join(",")}]` : renderObject(value);
}

function renderObject(value: SortedJsonObject): string {
  const members = Object.entries(value).sort(([a], [b]) => compareByUtf8(a, b));
  return `{${
    members.map(([name, member]) => `${JSON.stringify(name)}:${renderSortedJson(member)}`).join(",")
  }}`;
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: readonly SortedJsonValue[] | SortedJsonObject): value is readonly SortedJsonValue[] {
  return Array.isArray(value);
}

/**
 * Orders two texts as their UTF-8 bytes are ordered. The `<` of JavaScript compares UTF-16 units, which puts
 * characters above U+FFFF before U+E000.
 */
export function compareByUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = unitRank(a.charCodeAt(i)) - unitRank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Half of a character above U+FFFF comes after every unit that is a character of its own. */
function unitRank(unit: number): number {
  return unit >= SURROGATES.first && unit <= SURROGATES.last ? unit + 0x10000 : unit;
}
