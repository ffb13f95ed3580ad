// This module has no I/O.
import { isNobodyThere } from "../transport/os_error.ts";
import { BrokerClientError } from "./client_error.ts";

/**
 * Pauses before a Hello is said again, because the backend in the answer was gone when it was dialled: a socket
 * refuses a moment before its process has ended. Only a broker of ours would then answer differently.
 */
export const HELLO_AGAIN_MS: readonly number[] = [2, 20, 100];

/** Whether nobody listens where the broker has sent us: then nothing was written to anybody. */
export function isBackendGone(error: unknown): boolean {
  if (!(error instanceof BrokerClientError) || error.kind !== "BackendConnect") return false;
  return isNobodyThere((error.cause as Error | undefined)?.cause);
}
