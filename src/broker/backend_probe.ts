import { stat } from "node:fs/promises";
import { BrokerError } from "../errors.ts";
import type { ExecutableHasher } from "../host/executable.ts";
import type { ProcessIdentity } from "../host/process_start.ts";
import { verifyProcess } from "../host/verify_process.ts";
import type { WaitOptions } from "../transport/wait_options.ts";
import { askIdentity } from "../transport/ask_identity.ts";
import { withDeadline } from "../transport/deadline.ts";
import { osErrorCode } from "../transport/os_error.ts";
import type { Transport } from "../transport/transport.ts";
import { differingIdentityField } from "../wire/daemon_process.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";

/** What a backend has to be. */
export interface ExpectedBackend {
  /** The endpoint that is probed, and that the backend's identity has to name. */
  readonly endpoint: string;
  /** The instance id that the identity's endpoint has to be in. */
  readonly namespaceId: string;
  /** The executable that the service definition names. */
  readonly binaryPath: string;
  /** A particular process, when it is known which. */
  readonly identity?: DaemonProcess | undefined;
}

/** A backend that proved who it is. */
export interface ProvenBackend {
  /** What it says of itself, checked against the kernel. */
  readonly identity: DaemonProcess;
  /** Its process, for liveness checks. */
  readonly process: ProcessIdentity;
}

/**
 * Finds out who serves an endpoint and whether it may be a service's backend.
 *
 * The kernel says which process listens; the process's own answer has to agree with it, with the boot and
 * with the executable that the kernel says it runs, and that has to be the definition's binary.
 *
 * @throws {BrokerError} When it cannot be found out ("os", "deadline", "protocol") or is somebody else
 *   ("peer-rejected"); the message says what differs.
 */
export async function proveBackend(
  transport: Transport,
  hasher: ExecutableHasher,
  expected: ExpectedBackend,
  wait: WaitOptions,
): Promise<ProvenBackend> {
  const { identity, peer } = await ask(transport, expected, wait);
  if (peer.uid !== transport.ownUser) {
    throw impostor(expected, `it belongs to uid ${peer.uid}, wanted ${transport.ownUser}`);
  }
  if (peer.pid !== 0 && peer.pid !== identity.pid) {
    throw impostor(expected, `it says it is process ${identity.pid}, the kernel says ${peer.pid}`);
  }
  const place = identity.ipcEndpoint;
  if (place?.path !== expected.endpoint || place.namespaceId !== expected.namespaceId) {
    throw impostor(
      expected,
      `it serves "${place?.path}" in "${place?.namespaceId}", wanted "${expected.namespaceId}"`,
    );
  }
  const field = expected.identity === undefined
    ? undefined
    : differingIdentityField(identity, expected.identity);
  if (field !== undefined) throw impostor(expected, `its ${field} is not the one that was announced`);
  const process = await verifyProcess(identity, hasher);
  await requireSameFile(identity.exePath, expected);
  return { identity, process };
}

function ask(transport: Transport, { endpoint }: ExpectedBackend, wait: WaitOptions) {
  return withDeadline(`hear who serves "${endpoint}"`, wait, async (signal) => {
    const { stream, peer } = await transport.connectWithPeer(endpoint, { ...wait, signal });
    try {
      const answer = await askIdentity(stream, undefined, signal);
      if (answer.ok) return { identity: answer.identity, peer };
      throw new BrokerError("protocol", `Cannot tell who serves "${endpoint}": ${answer.detail}`);
    } finally {
      stream.close();
    }
  });
}

/** Paths may differ by links; the file may not. */
async function requireSameFile(exePath: string, expected: ExpectedBackend): Promise<void> {
  try {
    const [running, defined] = await Promise.all([stat(exePath), stat(expected.binaryPath)]);
    if (running.dev === defined.dev && running.ino === defined.ino) return;
  } catch (error) {
    throw impostor(
      expected,
      `its executable cannot be compared with "${expected.binaryPath}": ${osErrorCode(error)}`,
    );
  }
  throw impostor(expected, `it runs "${exePath}", the service definition names "${expected.binaryPath}"`);
}

function impostor({ endpoint }: ExpectedBackend, detail: string): BrokerError {
  return new BrokerError(
    "peer-rejected",
    `Cannot use the process behind "${endpoint}" as a backend: ${detail}`,
  );
}
