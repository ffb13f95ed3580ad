import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import {
  type Frame,
  FrameSchema,
  type Hello,
  HelloSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { decodeStrict, encodeMessage } from "../../src/wire/strict_decode.ts";

/** The values of a Hello that nobody refuses. */
export const HELLO: MessageInitShape<typeof HelloSchema> = {
  clientMinProtocol: 1,
  clientMaxProtocol: 1,
  serviceName: "my-daemon",
  wantedVersion: "1.2.3",
  peerPid: 0,
};

/** A Hello that is right but for the given fields. */
export function hello(fields: MessageInitShape<typeof HelloSchema> = {}): Hello {
  return create(HelloSchema, { ...HELLO, ...fields });
}

/** The frame of a Hello, as a broker decodes it from a client's bytes. */
export function helloFrame(
  fields: MessageInitShape<typeof HelloSchema> = {},
  frameFields: MessageInitShape<typeof FrameSchema> = {},
): Frame {
  const wire = encodeHello({ serviceName: "my-daemon", wantedVersion: "1.2.3", peerPid: 0 });
  const frame = decodeStrict(FrameSchema, wire.subarray(FRAME_HEADER_BYTES));
  return { ...frame, payload: encodeMessage(HelloSchema, hello(fields)), ...frameFields } as Frame;
}

/** A backend that is registered under its usual key. */
export function registeredBackend(fields: Partial<RegisteredBackend> = {}): RegisteredBackend {
  return {
    key: { instanceId: "shared", service: "my-daemon", version: "1.2.3" },
    daemonVersion: "1.2.3",
    backendPipe: "/run/be.sock",
    serverCapabilities: 0n,
    handoffEndpoint: "/run/ho.sock",
    identity: create(DaemonProcessSchema, { pid: 4242, startedAtUnixMs: 1_700_000_000_000n }),
    process: { pid: 4242, startMark: "1" },
    ...fields,
  };
}

/** A text of so many bytes, two of them a character. */
export function wide(bytes: number): string {
  assert.equal(bytes % 2, 0);
  return "ä".repeat(bytes / 2);
}
