// This module has no I/O.
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { mergeFields, NESTING_MAX, newMessage } from "./message_decoder.ts";
import { EmbeddedMessage, writeFields } from "./message_encoder.ts";
import { messagePlan } from "./message_plan.ts";
import { WireDecodeError, WireDecodeFailure } from "./wire_decode_error.ts";

/**
 * Decodes a message exactly as strictly as the reference does (protocol 1.9).
 *
 * Unknown fields are skipped and forgotten, unknown enum numbers are kept. The message shares no
 * memory with `bytes`.
 *
 * @param schema The message's generated schema.
 * @param bytes All bytes of the message and nothing else.
 * @returns The message.
 * @throws {WireDecodeError} When the bytes are not such a message.
 */
export function decodeStrict<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  const decoded = tryDecodeStrict(schema, bytes);
  if (decoded instanceof WireDecodeError) throw decoded;
  return decoded;
}

/**
 * Like {@linkcode decodeStrict}, for callers to whom a malformed message is an ordinary outcome.
 *
 * @param schema The message's generated schema.
 * @param bytes All bytes of the message and nothing else.
 * @returns The message, or why the bytes are none.
 */
export function tryDecodeStrict<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> | WireDecodeError {
  const plan = messagePlan(schema);
  const message = newMessage(plan);
  try {
    mergeFields(new ByteReader(bytes), plan, message, bytes.length, NESTING_MAX);
  } catch (error) {
    if (error instanceof WireDecodeFailure) return new WireDecodeError(error.kind, error.text, error.path);
    throw error;
  }
  return message as unknown as MessageShape<Desc>;
}

/**
 * Encodes a message byte for byte as the reference does: ascending fields, defaults omitted, map
 * keys sorted, unknown fields dropped (protocol 1.9).
 *
 * @param schema The message's generated schema.
 * @param message The message, or just the fields that are not default.
 * @returns The bytes. They share memory with nothing else.
 * @throws {TypeError} When a value has the wrong type, or text holds half of a surrogate pair.
 * @throws {RangeError} When a number does not fit its field.
 */
export function encodeMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageInitShape<Desc>,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writeMessage(writer, schema, message);
  return writer.finish();
}

/** The same into bytes that are being put together; see {@linkcode encodeMessage}. */
export function writeMessage<Desc extends DescMessage>(
  writer: ByteWriter,
  schema: Desc,
  message: MessageInitShape<Desc>,
): void {
  writeFields(writer, messagePlan(schema), message as Readonly<Record<string, unknown>>);
}

/** A message in place of bytes of the one that is encoded around it; see {@linkcode encodeMessage}. */
export function embedMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageInitShape<Desc>,
): EmbeddedMessage {
  return new EmbeddedMessage(messagePlan(schema), message as Readonly<Record<string, unknown>>);
}
