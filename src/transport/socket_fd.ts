import net, { type Server, type Socket } from "node:net";
import { BrokerError } from "../errors.ts";
import { runtime } from "./runtime.ts";

/**
 * The file descriptor behind a socket or a listener of `node:net`; it stays theirs.
 *
 * `_handle` is undocumented in all three runtimes, so what it says is checked.
 *
 * @throws {BrokerError} With code "unsupported" when this runtime does not show it.
 */
export function socketFd(socket: Socket | Server): number {
  const fd = (socket as { _handle?: { fd?: unknown } | null })._handle?.fd;
  if (typeof fd === "number" && Number.isInteger(fd) && fd >= 0) return fd;
  throw new BrokerError(
    "unsupported",
    `Cannot find the file descriptor of a socket: "_handle.fd" is ${String(fd)}; ` +
      "wanted: Deno 2.7, Bun 1.3 or Node 20, or newer",
  );
}

/** Makes an open descriptor of a connected socket a socket of `node:net`, which owns it from now on. */
export function adoptSocketFd(fd: number): Socket {
  // Bun's `new net.Socket({ fd })` never delivers data; Node and Deno throw on `net.connect({ fd })`.
  if (runtime === "bun") return net.connect({ fd, allowHalfOpen: true } as unknown as net.NetConnectOpts);
  return new net.Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
}
