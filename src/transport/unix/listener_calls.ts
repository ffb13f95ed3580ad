import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import type { ListenerCalls } from "../listener_calls.ts";

/** What a listening Unix socket needs of the kernel. */
export function listenerCalls({ sockets, peerCredentials }: Native): ListenerCalls {
  return {
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
