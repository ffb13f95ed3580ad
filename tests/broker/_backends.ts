import { create } from "@bufbuild/protobuf";
import type { BackendKey, RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";

/** A backend that was verified, under a key. */
export function backendOf(
  key: Partial<BackendKey> = {},
  fields: Partial<RegisteredBackend> = {},
): RegisteredBackend {
  const whole = { instanceId: "shared", service: "svc", version: "1.2.3", ...key };
  return {
    key: whole,
    daemonVersion: whole.version,
    backendPipe: `/run/${whole.service}-${whole.version}.sock`,
    serverCapabilities: 0n,
    handoffEndpoint: undefined,
    identity: create(DaemonProcessSchema, { pid: 4242 }),
    process: { pid: 4242, startMark: "1" },
    ...fields,
  };
}
