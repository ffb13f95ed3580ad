import type { LocalStream } from "./local_stream.ts";

/** The two directions of a connection as web streams. */
export interface WebStreams {
  /** What the peer sends; ends when the peer ends its direction. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the peer receives; closing it ends our direction. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * Web streams over a local stream: closing the writable ends our direction only, cancelling the
 * readable or aborting the writable gives the connection up; it is closed once both sides ended.
 */
export function webStreams(stream: LocalStream): WebStreams {
  const open = { readable: true, writable: true };
  const finish = (side: keyof typeof open) => {
    open[side] = false;
    if (!open.readable && !open.writable) stream.close();
  };
  return {
    readable: readableOf(stream, () => finish("readable")),
    writable: writableOf(stream, () => finish("writable")),
  };
}

function readableOf(stream: LocalStream, ended: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await stream.read();
      if (chunk !== null) return controller.enqueue(chunk);
      controller.close();
      ended();
    },
    cancel: () => stream.close(),
  }, { highWaterMark: 0 });
}

function writableOf(stream: LocalStream, ended: () => void): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (bytes) => stream.write(bytes),
    async close() {
      await stream.closeWrite();
      ended();
    },
    abort: () => stream.close(),
  });
}
