import assert from "node:assert/strict";
import test from "node:test";
import { eventFrame, requestFrame, responseTo, withRequestId } from "../../src/wire/frames.ts";
import { encodeFramed, tryDecodeFramed } from "../../src/wire/framing.ts";
import { createBackendEndpointMux } from "../../src/wire/mux.ts";
import { REGISTERED_CONSUMERS } from "../../src/wire/payload_protocol.ts";
import { toHex } from "../support/golden.ts";

const REQUESTS: Readonly<Record<keyof typeof REGISTERED_CONSUMERS, string>> = {
  zccache: "010d000000080118e3f40122030102032805",
  clud: "010d000000080118ccf80122030102032805",
  fbuild: "010d000000080118b1fd0122030102032805",
};

test("the frames of each registered consumer have fixed bytes, read back and reach its daemon whole", () => {
  const payload = Uint8Array.of(1, 2, 3);
  const identity = { pid: 7, exePath: "/usr/bin/daemon", exeSha256: new Uint8Array(32).fill(1), bootId: "b" };
  const ipcEndpoint = { namespaceId: "shared", path: "/run/be.sock" };
  for (const [consumer, payloadProtocol] of Object.entries(REGISTERED_CONSUMERS)) {
    const request = withRequestId(requestFrame(payloadProtocol, payload), 5n);
    const bytes = encodeFramed(request);
    assert.equal(toHex(bytes), REQUESTS[consumer as keyof typeof REQUESTS]);
    for (const frame of [request, responseTo(request, payload), eventFrame(payloadProtocol, payload)]) {
      const decoded = tryDecodeFramed(encodeFramed(frame));
      assert.ok(decoded.kind === "frame");
      assert.deepEqual(decoded.frame, frame);
    }
    const mux = createBackendEndpointMux({
      identity: { ...identity, ipcEndpoint },
      payloadProtocols: [payloadProtocol],
    });
    assert.deepEqual(mux.poll(bytes), { kind: "Payload", frame: request, consumed: bytes.length });
    assert.equal(mux.poll(encodeFramed(requestFrame(0xf00d, payload))).kind, "Error");
  }
});
