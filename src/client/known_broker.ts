import { lstatSync, readFileSync } from "node:fs";
import type { Transport } from "../transport/transport.ts";
import {
  decodeExtensionMarker,
  EXTENSION_MARKER_SUFFIX,
  isMarkerOf,
  MARKER_EARLY_DATA,
} from "../wire/extension_marker.ts";

/** Brokers remembered; a process talks to one or two. */
const BROKERS_MAX = 16;
/** Milliseconds that a missing marker stays missing: a broker writes it right behind its socket. */
const UNMARKED_MS = 1_000;

/** What was found out of a socket, as long as it looks the same. */
interface KnownBroker {
  readonly look: Uint8Array;
  /** What its marker says; `undefined` without one. */
  readonly extensions: bigint | undefined;
  /** When that was found out, in milliseconds of the monotonic clock. */
  readonly seenMs: number;
}

/** By the path of the socket. */
const brokers = new Map<string, KnownBroker>();

/** Whether the broker behind an endpoint takes early data. See {@linkcode isOurBroker}. */
export function takesEarlyData(endpoint: string, fileLook: Transport["fileLook"]): boolean {
  return ((markedExtensions(endpoint, fileLook) ?? 0n) & MARKER_EARLY_DATA) !== 0n;
}

/**
 * Whether the broker behind an endpoint is one of ours: it has left a marker for the very socket that is there.
 *
 * One look at the socket each time, and one reading of the marker a socket: a broker of another make may have
 * taken the place of the one that was known. Neither waits: that costs less than a turn of the event loop.
 *
 * @param endpoint The path of the broker's socket.
 * @param fileLook The cheap look; without it the socket's status is read each time.
 */
export function isOurBroker(endpoint: string, fileLook: Transport["fileLook"]): boolean {
  return markedExtensions(endpoint, fileLook) !== undefined;
}

function markedExtensions(endpoint: string, fileLook: Transport["fileLook"]): bigint | undefined {
  const known = brokers.get(endpoint);
  const look = fileLook(endpoint, known?.look);
  if (known !== undefined && look === known.look) {
    if (known.extensions !== undefined || performance.now() - known.seenMs < UNMARKED_MS) {
      return known.extensions;
    }
  }
  const extensions = readMarker(endpoint);
  brokers.delete(endpoint);
  if (look === undefined) return extensions;
  const [oldest] = brokers.keys();
  if (brokers.size >= BROKERS_MAX && oldest !== undefined) brokers.delete(oldest);
  brokers.set(endpoint, { look, extensions, seenMs: performance.now() });
  return extensions;
}

function readMarker(endpoint: string): bigint | undefined {
  try {
    const { dev: device, ino: inode, mtimeMs: madeAtUnixMs } = lstatSync(endpoint, { bigint: true });
    const marker = decodeExtensionMarker(readFileSync(`${endpoint}${EXTENSION_MARKER_SUFFIX}`, "utf8"));
    if (marker === undefined || !isMarkerOf(marker, { device, inode, madeAtUnixMs })) return undefined;
    return marker.extensions;
  } catch {
    return undefined;
  }
}
