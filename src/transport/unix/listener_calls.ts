import process from "node:process";
import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import type { ListenerCalls } from "../listener_calls.ts";
import { runtime } from "../runtime.ts";

/** What a listening Unix socket needs of the kernel. */
export function listenerCalls(native: Native): ListenerCalls {
  const { sockets, peerCredentials } = native;
  return {
    // The other runtimes take one connection a turn. A kqueue forgets a number that becomes another socket's.
    ...(runtime === "bun" && process.platform === "linux" ? { holdBack: (fd) => holdBack(native, fd) } : {}),
    keepFromChildren(fd) {
      const done = sockets.keepFromChildren(fd);
      if (done.ok) return;
      const message = `Cannot keep a listener from children: ioctl gave ${done.name} (${done.errno})`;
      throw new BrokerError("os", message);
    },
    copy(fd) {
      const copy = sockets.duplicateFd(fd);
      return copy.ok ? copy.fd : undefined;
    },
    hasWaiting: (fd) => sockets.hasWaiting(fd),
    peerOf(fd) {
      const found = peerCredentials(fd);
      return found.ok ? found.peer : undefined;
    },
  };
}

/** Accepting from a connected socket fails, which is what ends a runtime's row of accepts. */
function holdBack({ sockets, socketPair }: Native, fd: number): (() => void) | undefined {
  const kept = sockets.duplicateFd(fd);
  if (!kept.ok) return undefined;
  const pair = socketPair();
  const isHeld = pair.ok && sockets.replaceFd(pair.fds[0], fd).ok;
  if (pair.ok) { for (const end of pair.fds) sockets.closeFd(end); }
  const giveBack = () => {
    sockets.replaceFd(kept.fd, fd);
    sockets.closeFd(kept.fd);
  };
  if (isHeld) return giveBack;
  giveBack();
  return undefined;
}
