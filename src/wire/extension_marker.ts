// This module has no I/O.

/** Behind the path of a broker's socket: the file that says what its broker understands. */
export const EXTENSION_MARKER_SUFFIX = ".ext";

/** Bit 0 of a marker: the broker takes a first request along with the Hello (capability bit 33). */
export const MARKER_EARLY_DATA: bigint = 1n << 0n;

/** What the marker of a broker says, and of which socket; a socket's number alone may be a later one's. */
export interface ExtensionMarker {
  /** What the broker understands, by bits. */
  readonly extensions: bigint;
  /** Device and inode of the socket, and when it was made: milliseconds since the Unix epoch, since Deno knows no more. */
  readonly socket: SocketIdentity;
}

/** Tells a socket's name in the file system from every other one, also later. */
export interface SocketIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly madeAtUnixMs: bigint;
}

/** The marker as the text of its file. */
export function encodeExtensionMarker({ extensions, socket }: ExtensionMarker): string {
  const { device, inode, madeAtUnixMs } = socket;
  return `rpb-ext-v1 ${extensions} ${device} ${inode} ${madeAtUnixMs}\n`;
}

/** Reads a marker. @returns `undefined` when it is none. */
export function decodeExtensionMarker(text: string): ExtensionMarker | undefined {
  const numbers = /^rpb-ext-v1 (\d{1,20}) (\d{1,20}) (\d{1,20}) (\d{1,20})\n$/.exec(text);
  if (numbers === null) return undefined;
  const [extensions, device, inode, madeAtUnixMs] = numbers.slice(1).map(BigInt);
  return {
    extensions: extensions!,
    socket: { device: device!, inode: inode!, madeAtUnixMs: madeAtUnixMs! },
  };
}

/** Whether a marker was written for this very socket. */
export function isMarkerOf(
  marker: ExtensionMarker,
  { device, inode, madeAtUnixMs }: SocketIdentity,
): boolean {
  const { socket } = marker;
  return socket.device === device && socket.inode === inode && socket.madeAtUnixMs === madeAtUnixMs;
}
