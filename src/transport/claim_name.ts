import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { link, lstat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BrokerError } from "../errors.ts";
import { fileKey } from "../host/file_key.ts";
import { connectSocket } from "./connect_net.ts";
import { withDeadline } from "./deadline.ts";
import type { PeerCredentials } from "./local_stream.ts";
import { NetStream } from "./net_stream.ts";
import { osErrorCode } from "./os_error.ts";
import { socketFd } from "./socket_fd.ts";

/** How long a name that is already there may take to prove that somebody serves it. */
const LIVENESS_DEADLINE_MS = 1_000;
/** How long to go on when others want the same name: each of them needs a few system calls. */
const CLAIM_DEADLINE_MS = 2_000;
/** Between two looks at what another process is about to remove. */
const CLAIM_POLL_MS = 5;

/** How to find out who holds a name, when it is held. */
export interface ClaimOptions {
  /** See `PublishOptions`. */
  readonly politeRequest?: Uint8Array | undefined;
  /** Who is at the other end of a connected socket, by the kernel; asked for the message only. */
  readonly peerOf?: ((fd: number) => PeerCredentials | undefined) | undefined;
}

/** What connecting to a name gave. */
interface Found {
  /** "connected", or the system's word for the failure. */
  readonly outcome: string;
  /** Who serves the name, when that is known; 0 is not. */
  readonly pid: number;
}

/**
 * Gives a socket that already listens under a private name its public one.
 *
 * A link never replaces anything: of many processes that want a free name, exactly one gets it. Debris of a
 * dead process is removed only by whoever holds the claim on that very debris, so that nobody removes what
 * another one has just put in its place.
 *
 * @param ownPath The private name, in the same directory; gone afterwards.
 * @param options How to find out who holds it.
 * @throws {BrokerError} With code "endpoint-taken" when somebody serves the name or may do so, "config" when
 *   it is no socket's; errors of the system as they are.
 */
export async function claimName(
  ownPath: string,
  endpoint: string,
  options: ClaimOptions = {},
): Promise<void> {
  const end = performance.now() + CLAIM_DEADLINE_MS;
  while (!await isLinked(ownPath, endpoint)) {
    const debris = await findDebris(endpoint, options);
    if (performance.now() > end) throw taken(endpoint, "others want this name at the same time");
    if (debris !== undefined && !await removeDebris(ownPath, endpoint, debris)) await delay(CLAIM_POLL_MS);
  }
  await removeIfThere(ownPath);
}

/** @returns Whether the name was free and now is ours as well. */
async function isLinked(ownPath: string, name: string): Promise<boolean> {
  try {
    await link(ownPath, name);
    return true;
  } catch (error) {
    if (osErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** @returns What a dead process left under the name; `undefined` when nothing is there any more. */
async function findDebris(endpoint: string, options: ClaimOptions): Promise<BigIntStats | undefined> {
  const found = await lookAt(endpoint);
  if (found === undefined) return undefined;
  if (!found.isSocket()) {
    throw new BrokerError(
      "config",
      `Cannot publish "${endpoint}": a file that is no socket has this name; remove it`,
    );
  }
  const { outcome, pid } = await connectOutcome(endpoint, options);
  // Only a refused connection proves it; a timeout proves nothing.
  if (outcome === "ECONNREFUSED") return found;
  if (outcome === "ENOENT") return undefined;
  if (outcome !== "connected") {
    throw taken(endpoint, `a socket has this name and connecting to it gave ${outcome}`);
  }
  throw taken(endpoint, `a process serves it${pid === 0 ? "" : ` (pid ${pid})`}`);
}

/** @returns Whether the debris is gone; otherwise another process is about to remove it, or died doing so. */
async function removeDebris(ownPath: string, endpoint: string, debris: BigIntStats): Promise<boolean> {
  // The claim is a link to our own live socket: whether its holder is alive can be told by connecting.
  const key = `${basename(endpoint)}:${fileKey(debris)}`;
  const claim = join(dirname(endpoint), `.${createHash("sha256").update(key).digest("hex").slice(0, 8)}`);
  if (!await isLinked(ownPath, claim)) {
    if ((await connectOutcome(claim, {})).outcome === "ECONNREFUSED") await removeIfThere(claim);
    return false;
  }
  try {
    const found = await lookAt(endpoint);
    if (found !== undefined && fileKey(found) === fileKey(debris)) await removeIfThere(endpoint);
    return true;
  } finally {
    await removeIfThere(claim);
  }
}

async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (osErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (osErrorCode(error) !== "ENOENT") throw error;
  }
}

async function connectOutcome(path: string, { politeRequest, peerOf }: ClaimOptions): Promise<Found> {
  const wait = { deadlineMs: LIVENESS_DEADLINE_MS };
  try {
    const socket = await connectSocket(path, wait);
    const pid = peerOf?.(socketFd(socket))?.pid ?? 0;
    const stream = new NetStream(socket);
    try {
      if (politeRequest !== undefined) {
        await stream.write(politeRequest);
        await withDeadline(`hear from "${path}"`, wait, (signal) => stream.read(signal));
      }
    } catch {
      // Connecting worked, so the name is served; the answer itself does not matter.
    } finally {
      stream.close();
    }
    return { outcome: "connected", pid };
  } catch (error) {
    return { outcome: osErrorCode((error as Error).cause) ?? "no answer", pid: 0 };
  }
}

function taken(endpoint: string, seen: string): BrokerError {
  const message = `Cannot publish "${endpoint}": ${seen}; stop that process or choose another endpoint`;
  return new BrokerError("endpoint-taken", message);
}
