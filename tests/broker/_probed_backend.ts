import process from "node:process";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { awaitFirstBytes } from "../../src/backend/first_bytes.ts";
import { currentDaemonIdentity } from "../../src/host/daemon_identity.ts";
import { ExecutableHasher, ownExecutablePath } from "../../src/host/executable.ts";
import type { ServiceDefinition } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { type DaemonProcess, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { encodeProbeIdentity } from "../../src/wire/probe.ts";
import { makeDefinition } from "../service/_definition.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { transport } from "../transport/_transport.ts";

/** Of all tests here, so that this process's own executable is hashed once. */
export const hasher = new ExecutableHasher();
/** The executable that runs this process, which a definition has to name for it to be a backend. */
export const ownBinary: string = await ownExecutablePath();
const own = await currentDaemonIdentity({ endpoint: { namespaceId: "shared", path: "" }, hasher });

/** This process as a daemon at an endpoint; fields may say something else. */
export function ownIdentity(
  path: string,
  fields: MessageInitShape<typeof DaemonProcessSchema> = {},
): DaemonProcess {
  const ipcEndpoint = { namespaceId: "shared", path };
  return create(DaemonProcessSchema, { ...own, ipcEndpoint, ...fields } as typeof own);
}

/** The definition of the service whose backend this process is. */
export function ownDefinition(): ServiceDefinition {
  return makeDefinition({ binaryPath: ownBinary });
}

/** An endpoint of this process that answers probes as it is told to. */
export interface ProbedBackend extends AsyncDisposable {
  readonly endpoint: string;
  readonly dir: TempDir;
  /** What is answered; may be replaced. */
  identity: DaemonProcess;
  /** How many probes were answered so far. */
  probes: number;
}

/** Starts to answer probes; the identity is this process's but for the given fields. */
export async function answerProbes(
  fields: MessageInitShape<typeof DaemonProcessSchema> = {},
): Promise<ProbedBackend> {
  const dir = await makeTempDir();
  const endpoint = dir.join("be.sock");
  const backend: ProbedBackend = {
    endpoint,
    dir,
    identity: ownIdentity(endpoint, fields),
    probes: 0,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await dir[Symbol.asyncDispose]();
    },
  };
  const listener = await transport.listen(endpoint, {}, (stream) => {
    const identity = Promise.resolve(encodeProbeIdentity(backend.identity));
    const serving = awaitFirstBytes(stream, identity, () => backend.probes++);
    void serving.then(() => stream.close(), () => stream.close());
  });
  return backend;
}

/** A process id that is not this process's. */
export const otherPid: number = process.pid === 1 ? 2 : 1;
