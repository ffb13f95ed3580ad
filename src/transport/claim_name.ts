import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { link, lstat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BrokerError } from "../errors.ts";
import { connectSocket } from "./connect_net.ts";
import { withDeadline } from "./deadline.ts";
import { NetStream } from "./net_stream.ts";
import { osErrorCode } from "./os_error.ts";

/** How long a name that is already there may take to prove that somebody serves it. */
const LIVENESS_DEADLINE_MS = 1_000;
/** How long to go on when others want the same name: each of them needs a few system calls. */
const CLAIM_DEADLINE_MS = 2_000;
/** Between two looks at what another process is about to remove. */
const CLAIM_POLL_MS = 5;

/**
 * Gives a socket that already listens under a private name its public one.
 *
 * A link never replaces anything: of many processes that want a free name, exactly one gets it. Debris of a
 * dead process is removed only by whoever holds the claim on that very debris, so that nobody removes what
 * another one has just put in its place.
 *
 * @param ownPath The private name, in the same directory; gone afterwards.
 * @param politeRequest See `PublishOptions`.
 * @throws {BrokerError} With code "config" when the name is taken; errors of the system as they are.
 */
export async function claimName(
  ownPath: string,
  endpoint: string,
  politeRequest: Uint8Array | undefined,
): Promise<void> {
  const end = performance.now() + CLAIM_DEADLINE_MS;
  while (!await isLinked(ownPath, endpoint)) {
    const debris = await findDebris(endpoint, politeRequest);
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
async function findDebris(
  endpoint: string,
  politeRequest: Uint8Array | undefined,
): Promise<BigIntStats | undefined> {
  const found = await lookAt(endpoint);
  if (found === undefined) return undefined;
  if (!found.isSocket()) {
    throw new BrokerError(
      "config",
      `Cannot publish "${endpoint}": a file that is no socket has this name; remove it`,
    );
  }
  const seen = await connectOutcome(endpoint, politeRequest);
  // Only a refused connection proves it; a timeout proves nothing.
  if (seen === "ECONNREFUSED") return found;
  if (seen === "ENOENT") return undefined;
  throw taken(
    endpoint,
    seen === "connected" ? "a process serves it" : `a socket has this name and connecting to it gave ${seen}`,
  );
}

/** @returns Whether the debris is gone; otherwise another process is about to remove it, or died doing so. */
async function removeDebris(ownPath: string, endpoint: string, debris: BigIntStats): Promise<boolean> {
  // The claim is a link to our own live socket: whether its holder is alive can be told by connecting.
  const key = `${basename(endpoint)}:${debrisKey(debris)}`;
  const claim = join(dirname(endpoint), `.${createHash("sha256").update(key).digest("hex").slice(0, 8)}`);
  if (!await isLinked(ownPath, claim)) {
    if (await connectOutcome(claim, undefined) === "ECONNREFUSED") await removeIfThere(claim);
    return false;
  }
  try {
    const found = await lookAt(endpoint);
    if (found !== undefined && debrisKey(found) === debrisKey(debris)) await removeIfThere(endpoint);
    return true;
  } finally {
    await removeIfThere(claim);
  }
}

/** An inode's number may be given to a later file, but not together with its time. */
function debrisKey({ dev, ino, mtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${mtimeNs}`;
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

async function connectOutcome(path: string, politeRequest: Uint8Array | undefined): Promise<string> {
  const options = { deadlineMs: LIVENESS_DEADLINE_MS };
  try {
    const stream = new NetStream(await connectSocket(path, options));
    try {
      if (politeRequest !== undefined) {
        await stream.write(politeRequest);
        await withDeadline(`hear from "${path}"`, options, (signal) => stream.read(signal));
      }
    } catch {
      // Connecting worked, so the name is served; the answer itself does not matter.
    } finally {
      stream.close();
    }
    return "connected";
  } catch (error) {
    return osErrorCode((error as Error).cause) ?? "no answer";
  }
}

function taken(endpoint: string, seen: string): BrokerError {
  const message = `Cannot publish "${endpoint}": ${seen}; stop that process or choose another endpoint`;
  return new BrokerError("config", message);
}
