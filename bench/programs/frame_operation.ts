import { encodeFramed, requestFrame, tryDecodeFramed, withRequestId } from "../../mod.ts";

/** Payload sizes in the names that the reference's benchmark gives them. */
export const frameSizes = { "64 B": 64, "64 KiB": 65_536 } as const;

/** Any number of the private-use range. */
const PAYLOAD_PROTOCOL = 0x7a63;

/** What `frame-encode-64` or `frame-decode-65536` does once. */
export function frameOperation(mode: string): () => void {
  const [, act, size] = /^frame-(encode|decode)-(\d+)$/.exec(mode) ?? [];
  if (size === undefined) throw new TypeError(`Not a mode: "${mode}"`);
  const frame = withRequestId(requestFrame(PAYLOAD_PROTOCOL, new Uint8Array(Number(size)).fill(7)), 9n);
  const framed = encodeFramed(frame);
  if (act === "encode") return () => void encodeFramed(frame);
  return () => {
    if (tryDecodeFramed(framed).kind !== "frame") throw new Error("A frame does not decode");
  };
}
