import assert from "node:assert/strict";
import { test } from "node:test";
import { helloBytes } from "../../src/client/hello_bytes.ts";
import { encodeHello, type HelloOptions } from "../../src/wire/hello.ts";

const SAID: HelloOptions = {
  serviceName: "a",
  wantedVersion: "1.0.0",
  peerPid: 7,
  clientVersion: "2.0.0",
  clientCapabilities: 1n,
  clientLibName: "lib",
  clientLibVersion: "3.0.0",
  clientKeepaliveSecs: 5n,
  traceparent: "",
  tracestate: "",
};

test("helloBytes() is what encodeHello() makes, encoded once for the same Hello", () => {
  const bytes = helloBytes({ ...SAID });
  assert.deepEqual(bytes, encodeHello(SAID));
  assert.ok(helloBytes({ ...SAID }) === bytes, "kept");
});

test("helloBytes() takes no two Hellos for the same one", () => {
  const others: Record<keyof HelloOptions, Partial<HelloOptions>> = {
    serviceName: { serviceName: "b" },
    wantedVersion: { wantedVersion: "1.0.1" },
    peerPid: { peerPid: 8 },
    clientVersion: { clientVersion: "" },
    clientCapabilities: { clientCapabilities: 3n },
    clientLibName: { clientLibName: "other" },
    clientLibVersion: { clientLibVersion: "3.0.1" },
    clientKeepaliveSecs: { clientKeepaliveSecs: 6n },
    authToken: { authToken: Uint8Array.of(1) },
    traceparent: { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
    tracestate: { tracestate: "a=b" },
  };
  for (const [name, change] of Object.entries(others)) {
    helloBytes(SAID);
    const changed = { ...SAID, ...change };
    assert.deepEqual(helloBytes(changed), encodeHello(changed), name);
    assert.notDeepEqual(helloBytes(changed), encodeHello(SAID), name);
  }
});
