// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { framedWriter, withHeader } from "./frame_header.ts";
import { FrameSchema } from "./gen/broker_v1_envelope_pb.ts";
import type { EmbeddedMessage } from "./message_encoder.ts";
import { writeMessage } from "./strict_decode.ts";

/** A frame's fields that are not default, around a message. */
export type MessageFrame =
  & Omit<MessageInitShape<typeof FrameSchema>, "$typeName" | "payload">
  & { readonly payload: EmbeddedMessage };

/**
 * Encodes a frame with its header around a message, which is encoded where it stands: every Hello and every handoff
 * needs a few of these.
 *
 * @param frame The fields that are not default.
 * @returns Header and body.
 * @throws {FramingError} With kind `FrameTooLarge` when the body exceeds 16 MiB.
 */
export function encodeFramedMessage(frame: MessageFrame): Uint8Array<ArrayBuffer> {
  const writer = framedWriter();
  writeMessage(writer, FrameSchema, frame as unknown as MessageInitShape<typeof FrameSchema>);
  return withHeader(writer.finish());
}
