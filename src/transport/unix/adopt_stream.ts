import { NetStream } from "../net_stream.ts";
import { runtime } from "../runtime.ts";
import { adoptSocketFd } from "../socket_fd.ts";
import { adoptBun } from "./bun_stream.ts";
import type { ShownStream } from "../shown_stream.ts";

/**
 * Makes an open descriptor of a connected socket a stream of the runtime, which owns it from now on.
 *
 * @throws When the runtime refuses it; the descriptor then is still the caller's.
 */
export function adoptStream(fd: number): ShownStream {
  return runtime === "bun" ? adoptBun(fd) : new NetStream(adoptSocketFd(fd));
}
