import type { CancelSignal } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import { bootId, isSameBoot } from "../../host/boot_id.ts";
import type { ExecutableHasher } from "../../host/executable.ts";
import { isProcessAlive } from "../../host/process_identity.ts";
import { osErrorCode } from "../../transport/os_error.ts";
import type { Transport } from "../../transport/transport.ts";
import type { WaitOptions } from "../../transport/wait_options.ts";
import { proveBackend } from "../backend_probe.ts";
import type { RegisteredBackend } from "../backend_registry.ts";
import { errorDetail } from "../error_detail.ts";
import { type BackendRecord, isSameCommand, type RecordedCommand } from "./backend_record.ts";

/** Milliseconds that a backend has to answer: it may have to hash its executable first. */
export const REVIEW_DEADLINE_MS = 5_000;

/** What reviewing a record needs. */
export interface ReviewParts {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** Hashes executables, each state of a file once. */
  readonly hasher: ExecutableHasher;
}

/** What has become of a recorded backend. */
export type RecordReview =
  /** It serves, and is the one that was recorded. */
  | { readonly kind: "live"; readonly backend: RegisteredBackend }
  /** It is gone, or not the one that is wanted: the record is of no use. */
  | { readonly kind: "stale"; readonly detail: string }
  /** Nothing is proved: it may be busy, and may serve later. */
  | { readonly kind: "silent"; readonly detail: string };

/**
 * Finds out whether a recorded backend still serves: the same boot, the same process, started as its definition
 * says now, and proving itself on its endpoint as at its launch.
 *
 * @param command What the definition of its service says to start now.
 */
export async function reviewRecord(
  { transport, hasher }: ReviewParts,
  record: BackendRecord,
  command: RecordedCommand,
  signal: CancelSignal,
): Promise<RecordReview> {
  const { key, endpoint, handoffEndpoint, identity } = record;
  if (!isSameBoot(identity.bootId, await bootId())) return stale("it is of another boot");
  if (!await isProcessAlive(record.process)) return stale(`process ${record.process.pid} has ended`);
  if (!isSameCommand(record.command, command)) {
    return stale("the service definition starts something else now");
  }
  const wait: WaitOptions = { deadlineMs: REVIEW_DEADLINE_MS, signal };
  const expected = { endpoint, namespaceId: key.instanceId, binaryPath: command.executable, identity };
  try {
    const proven = await proveBackend(transport, hasher, expected, wait);
    if (proven.process.startMark !== record.process.startMark) {
      return stale(`process ${record.process.pid} is another one by now`);
    }
    const backend: RegisteredBackend = {
      key,
      daemonVersion: key.version,
      backendPipe: endpoint,
      serverCapabilities: 0n,
      handoffEndpoint,
      adopted: true,
      ...proven,
    };
    return { kind: "live", backend };
  } catch (error) {
    const detail = errorDetail(error);
    return isProof(error) ? stale(detail) : { kind: "silent", detail };
  }
}

/** A timeout proves nothing, and neither does a limit of this process. */
function isProof(error: unknown): boolean {
  if (!BrokerError.is(error)) return false;
  if (error.code === "peer-rejected" || error.code === "protocol") return true;
  const seen = osErrorCode(error.cause);
  return seen === "ECONNREFUSED" || seen === "ENOENT";
}

function stale(detail: string): RecordReview {
  return { kind: "stale", detail };
}
