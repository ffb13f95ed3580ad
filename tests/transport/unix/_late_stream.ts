import { LateStream } from "../../../src/transport/unix/late_stream.ts";
import type { Native } from "../../../ffi/native.ts";
import { native, pattern, socketPair } from "../_transport.ts";

/** No bytes. */
export const NOTHING = new Uint8Array(0);
/** What a stream may be given to say first. */
export const GREETING = pattern(20, 100);

/** A stream of the one end; the client at the other end is a bare descriptor. */
export function open(
  residue: Uint8Array = NOTHING,
  greeting?: Uint8Array,
  calls: Native = native,
  isLast = false,
) {
  const [mine, client] = socketPair();
  const fd = calls.ownFd(mine);
  const stream = new LateStream(calls, fd, { residue, greeting, isLast });
  return {
    stream,
    /** Whether the descriptor is still the stream's own: the runtime has not got it. */
    isDirect: () => fd.isOpen,
    client,
    send: (bytes: Uint8Array) => native.sockets.sendBytes(client, bytes),
    /** What has arrived at the client until now. */
    arrived(): Uint8Array | "eof" | "nothing" {
      const seen = native.sockets.receiveBytes(client, 100_000);
      if (seen.kind === "data") return seen.bytes;
      return seen.kind === "eof" ? "eof" : "nothing";
    },
    end() {
      stream.close();
      native.sockets.closeFd(client);
    },
  };
}
