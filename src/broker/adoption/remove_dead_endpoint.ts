import { lstat, unlink } from "node:fs/promises";
import { BrokerError } from "../../errors.ts";
import { connectSocket } from "../../transport/connect_net.ts";
import { osErrorCode } from "../../transport/os_error.ts";

/** Milliseconds for one connect to what nobody is believed to serve. */
const CONNECT_DEADLINE_MS = 1_000;

/**
 * Removes a socket that nobody serves any more; one that a process may still serve stays.
 *
 * Only a refused connection proves it. Its name was drawn for one process alone, so that nobody else puts another
 * socket in its place.
 *
 * @returns Whether the name is free now.
 */
export async function removeDeadEndpoint(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket()) return false;
    const socket = await connectSocket(path, { deadlineMs: CONNECT_DEADLINE_MS });
    socket.destroy();
    return false;
  } catch (error) {
    const seen = osErrorCode(BrokerError.is(error) ? error.cause : error);
    if (seen === "ENOENT" || seen === "ENOTDIR") return true;
    if (seen !== "ECONNREFUSED") return false;
  }
  await unlink(path).catch(() => {/* somebody was faster, or it is not ours to remove */});
  return true;
}
