import net, { type Socket } from "node:net";
import { BrokerError } from "../errors.ts";
import { osErrorCode } from "./os_error.ts";
import { withDeadline } from "./deadline.ts";
import type { WaitOptions } from "./wait_options.ts";

/**
 * Connects a socket of `node:net`, the kind whose descriptor can be inspected and passed.
 *
 * @throws {BrokerError} With code "os" (the runtime's error is the cause), "deadline", or the abort reason.
 */
export function connectSocket(path: string, options: WaitOptions): Promise<Socket> {
  return withDeadline(`connect to "${path}"`, options, (signal) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ path, allowHalfOpen: true });
      const settle = () => {
        socket.off("connect", connected);
        socket.off("error", failed);
        signal.removeEventListener("abort", aborted);
      };
      const connected = () => (settle(), resolve(socket));
      const failed = (error: unknown) => (settle(), socket.destroy(), reject(connectError(path, error)));
      const aborted = () => (settle(), abandon(socket), reject(signal.reason));
      socket.once("connect", connected);
      socket.once("error", failed);
      signal.addEventListener("abort", aborted, { once: true });
    }));
}

function abandon(socket: Socket): void {
  socket.on("error", () => {/* nobody waits for this connection any more */});
  socket.destroy();
}

/** One message for a connect that failed, whichever API was used. */
export function connectError(path: string, error: unknown): BrokerError {
  const seen = osErrorCode(error) ?? (error instanceof Error ? error.message : String(error));
  return new BrokerError("os", `Cannot connect to "${path}": ${seen}`, { cause: error });
}
