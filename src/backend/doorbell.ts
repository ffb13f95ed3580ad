import type { IncomingControl } from "../transport/transport.ts";
import type { WaitOptions } from "../transport/wait_options.ts";
import { createFirstFrameReader } from "../wire/first_frame_reader.ts";
import { FRAME_HEADER_BYTES } from "../wire/constants.ts";
import { CHANNEL_ID_BYTES, WARM_EXTENSIONS } from "../wire/handoff_extension.ts";
import { decodeHandoffOffer, encodeHandoffAck } from "../wire/handoff_frames.ts";

/** Largest frame a doorbell begins with: it carries a name and a few numbers. */
const RING_BYTES_MAX = 256;

/** What came of a doorbell's first frame. */
export type Rung =
  | { readonly ok: true; readonly passing: IncomingControl }
  | { readonly ok: false; readonly detail: string };

/**
 * Reads the frame that a second control connection begins with, ties it to the first one and says so.
 *
 * Byte by byte as announced and no further: what follows belongs to the stream it becomes.
 *
 * @param control The connection; stays the caller's.
 * @param front Bytes of the frame that were received already.
 * @param take Gives out the connection that has a name.
 */
export async function answerDoorbell(
  control: IncomingControl,
  front: Uint8Array,
  take: (channelId: Uint8Array) => IncomingControl | undefined,
  wait: WaitOptions,
): Promise<Rung> {
  const body = await readRing(control, front, wait);
  if (typeof body === "string") return { ok: false, detail: body };
  const decoded = decodeHandoffOffer(body);
  if (!decoded.ok) return decoded;
  const { extensions, channelId, token, correlationId } = decoded.offer;
  const isDoorbell = (extensions & WARM_EXTENSIONS) === WARM_EXTENSIONS && token.length === 0;
  if (!isDoorbell || channelId.length !== CHANNEL_ID_BYTES) {
    return { ok: false, detail: "a frame without a descriptor did not announce a doorbell" };
  }
  const passing = take(channelId);
  if (passing === undefined) return { ok: false, detail: "a doorbell named no channel of its process" };
  const ack = encodeHandoffAck({ accepted: true, correlationId, extensions: WARM_EXTENSIONS, channelId });
  const sent = control.sendNow(ack);
  if (sent.ok) return { ok: true, passing };
  passing.close();
  return sent;
}

async function readRing(
  control: IncomingControl,
  front: Uint8Array,
  wait: WaitOptions,
): Promise<Uint8Array | string> {
  const reader = createFirstFrameReader({ frameBytesMax: RING_BYTES_MAX });
  let bytes = front;
  let header = front;
  for (;;) {
    const seen = reader.push(bytes);
    if (seen.kind === "error") return seen.error.message;
    if (seen.kind === "frame") {
      return seen.residue.length === 0 ? seen.body : "bytes follow a doorbell's frame";
    }
    const receipt = await control.receive(missing(header), wait);
    if (receipt.kind !== "received") return `a doorbell's frame ended early: ${receipt.kind}`;
    if (receipt.connections.length > 0) {
      for (const connection of receipt.connections) connection.close();
      return "a descriptor came on a doorbell";
    }
    bytes = receipt.bytes;
    header = Uint8Array.from([...header, ...bytes]);
  }
}

/** @returns Bytes of the frame, or of its header, that have not come yet. */
function missing(seen: Uint8Array): number {
  if (seen.length < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES - seen.length;
  const bodyBytes = new DataView(seen.buffer, seen.byteOffset).getUint32(1, true);
  return FRAME_HEADER_BYTES + bodyBytes - seen.length;
}
