import type { SendResult } from "../../../ffi/socket_calls.ts";
import type { SendOutcome } from "../transport.ts";

/** A short frame goes out whole or has failed: a part of a frame is worth nothing to the peer. */
export function describeSend(sent: SendResult, wanted: number): SendOutcome {
  switch (sent.kind) {
    case "sent":
      if (sent.bytesSent === wanted) return { ok: true };
      return { ok: false, detail: `the socket took ${sent.bytesSent} of ${wanted} bytes` };
    case "again":
      return { ok: false, detail: "the socket's buffer is full" };
    case "error":
      return { ok: false, detail: `send returned ${sent.name}` };
  }
}
