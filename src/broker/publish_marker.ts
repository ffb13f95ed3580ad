import { lstat, readFile, unlink, writeFile } from "node:fs/promises";
import {
  decodeExtensionMarker,
  encodeExtensionMarker,
  EXTENSION_MARKER_SUFFIX,
  isMarkerOf,
  MARKER_EARLY_DATA,
  type SocketIdentity,
} from "../wire/extension_marker.ts";

/**
 * Says beside a broker's socket that it understands early data, so that clients may send some.
 *
 * A marker that cannot be written costs the early data only.
 *
 * @param endpoint The path of the socket, which listens.
 * @returns Removes the marker, unless it is another broker's by then. Never rejects.
 */
export async function publishMarker(endpoint: string): Promise<() => Promise<void>> {
  const path = `${endpoint}${EXTENSION_MARKER_SUFFIX}`;
  try {
    const { dev: device, ino: inode, mtimeMs: madeAtUnixMs } = await lstat(endpoint, { bigint: true });
    const socket = { device, inode, madeAtUnixMs };
    await writeFile(path, encodeExtensionMarker({ extensions: MARKER_EARLY_DATA, socket }), { mode: 0o600 });
    return () => withdraw(path, socket);
  } catch {
    return () => Promise.resolve();
  }
}

async function withdraw(path: string, socket: SocketIdentity): Promise<void> {
  try {
    const marker = decodeExtensionMarker(await readFile(path, "utf8"));
    if (marker !== undefined && isMarkerOf(marker, socket)) await unlink(path);
  } catch {
    // It is gone already, or does not say whose it is: a client believes it only together with its socket.
  }
}
