import process from "node:process";
import { loadNative } from "../../ffi/native.ts";
import { BrokerError } from "../errors.ts";
import type { Transport } from "./transport.ts";
import { unixTransport } from "./unix/unix_transport.ts";

let made: Transport | undefined;

/**
 * The local sockets of this machine's kernel.
 *
 * Loading never fails for want of native calls: {@linkcode Transport.nativeMissing} says what cannot be done.
 *
 * @throws {BrokerError} With code "unsupported" on Windows, whose named pipes are not built yet.
 */
export async function loadTransport(): Promise<Transport> {
  if (process.platform === "win32") {
    throw new BrokerError(
      "unsupported",
      "Cannot use local sockets on Windows: named pipes are not supported yet",
    );
  }
  // A process that has given its privileges up since is another user to its peers.
  if (made === undefined || made.ownUser !== process.geteuid?.()) made = unixTransport(await loadNative());
  return made;
}
