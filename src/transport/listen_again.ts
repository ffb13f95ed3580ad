import type { Server } from "node:net";
import type { ListenerCalls } from "./listener_calls.ts";
import { socketFd } from "./socket_fd.ts";

/** Connections the kernel may hold ready for us: a herd of this size is not refused while we are busy. */
export const LISTEN_BACKLOG = 1024;

/**
 * Lets a fresh server accept from the queue of a listening one; both do until the old one is closed.
 *
 * @returns Whether it does.
 */
export function listenAgain(next: Server, old: Server, calls: ListenerCalls): Promise<boolean> {
  const fd = calls.copy(socketFd(old));
  if (fd === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    next.once("error", () => {
      next.close();
      resolve(false);
    });
    next.listen({ fd, backlog: LISTEN_BACKLOG }, () => {
      next.removeAllListeners("error");
      resolve(true);
    });
  });
}
