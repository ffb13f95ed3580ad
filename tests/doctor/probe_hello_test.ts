import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilitiesText } from "../../src/doctor/capabilities_text.ts";
import { encodeProbeHello } from "../../src/doctor/probe_hello.ts";
import { LIBRARY_VERSION } from "../../src/version.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { FrameSchema, HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { CONTROL_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";

test("encodeProbeHello() names the doctor and a service that nobody defines", () => {
  const frame = decodeStrict(FrameSchema, encodeProbeHello(4242).subarray(FRAME_HEADER_BYTES));
  assert.deepEqual([frame.payloadProtocol, frame.requestId], [CONTROL_PAYLOAD_PROTOCOL, 1n]);
  const hello = decodeStrict(HelloSchema, frame.payload);
  assert.deepEqual(
    [hello.serviceName, hello.wantedVersion, hello.requestId, hello.clientLibName, hello.peerPid],
    ["rp-doctor-probe", "0.0.0", "doctor-probe", "running-process-doctor", 4242],
  );
  assert.deepEqual([hello.clientVersion, hello.clientLibVersion], [LIBRARY_VERSION, LIBRARY_VERSION]);
  assert.deepEqual([hello.clientMinProtocol, hello.clientMaxProtocol, hello.clientCapabilities], [1, 1, 0n]);
});

test("capabilitiesText() names the bits it knows and shows the others", () => {
  assert.equal(capabilitiesText(0n), "none");
  assert.equal(capabilitiesText(1n), "0x1 [HANDLE_PASSING]");
  assert.equal(capabilitiesText(3n), "0x3 [HANDLE_PASSING, unknown:0x2]");
  assert.equal(capabilitiesText(1n << 63n), "0x8000000000000000 [unknown:0x8000000000000000]");
});
