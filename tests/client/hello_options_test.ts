import assert from "node:assert/strict";
import { test } from "node:test";
import { helloOptions } from "../../src/client/hello_options.ts";
import { LIBRARY_NAME, LIBRARY_VERSION } from "../../src/version.ts";

const ASK = { service: "svc", version: "1.2.3", broker: "/run/br.sock" };

test("a Hello says what is wanted, who asks, and nothing that was not given", () => {
  assert.deepEqual(helloOptions(ASK, 77), {
    serviceName: "svc",
    wantedVersion: "1.2.3",
    peerPid: 77,
    clientVersion: "",
    clientCapabilities: 1n | (1n << 32n),
    clientLibName: LIBRARY_NAME,
    clientLibVersion: LIBRARY_VERSION,
    clientKeepaliveSecs: 0n,
    traceparent: "",
    tracestate: "",
  });
});

test("a Hello offers its connection as far as the client will adopt it", () => {
  const bits = (adoptHandedOffConnection: "auto" | boolean | undefined) =>
    helloOptions({ ...ASK, adoptHandedOffConnection }, 1).clientCapabilities;
  assert.equal(bits("auto"), 1n | (1n << 32n));
  assert.equal(bits(undefined), 1n | (1n << 32n));
  assert.equal(bits(true), 1n);
  assert.equal(bits(false), 0n);
});

test("a Hello announces a first request only when that follows at once, and says whether it may run twice", () => {
  const bits = (isEarly: boolean, repeatable?: boolean) => {
    const earlyData = { bytes: Uint8Array.of(1), repeatable };
    return BigInt(helloOptions({ ...ASK, earlyData }, 1, isEarly).clientCapabilities ?? 0n) >> 33n;
  };
  assert.equal(bits(false), 0n);
  assert.equal(bits(false, true), 0n);
  assert.equal(bits(true), 1n);
  assert.equal(bits(true, true), 3n);
});

test("whatever the caller gives is what is sent", () => {
  const given = {
    clientVersion: "tool 9",
    clientLibName: "lib",
    clientLibVersion: "3",
    clientKeepaliveSecs: 60n,
    traceparent: "00-trace",
    tracestate: "vendor=1",
  };
  const { clientVersion, clientLibName, clientLibVersion, clientKeepaliveSecs, traceparent, tracestate } =
    helloOptions({ ...ASK, ...given, selfVersion: "9.9.9" }, 1);
  assert.deepEqual(
    { clientVersion, clientLibName, clientLibVersion, clientKeepaliveSecs, traceparent, tracestate },
    given,
  );
  assert.equal(
    helloOptions({ ...ASK, clientLibName: "" }, 1).clientLibName,
    "",
    "an empty text was given, too",
  );
});
