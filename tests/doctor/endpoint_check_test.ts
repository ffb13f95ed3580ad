import assert from "node:assert/strict";
import { test } from "node:test";
import type { DialOutcome } from "../../src/doctor/doctor_host.ts";
import { endpointCheck } from "../../src/doctor/endpoint_check.ts";
import { ErrorCode } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeNegotiatedReply, encodeRefusedReply } from "../../src/wire/hello.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { fakeHost, fakeValues, SOCKETS, USER_HASH } from "./_fake_host.ts";

const ECHO = { requestId: 1n, traceparent: "", tracestate: "" };

function answered(framed: Uint8Array): DialOutcome {
  return { kind: "answered", body: framed.subarray(FRAME_HEADER_BYTES) };
}

async function check(outcome: DialOutcome) {
  const asked: string[] = [];
  const host = fakeHost({
    dial(endpoint, _request, deadlineMs) {
      asked.push(`${endpoint} ${deadlineMs}`);
      return Promise.resolve(outcome);
    },
  });
  const found = await endpointCheck(host, "/run/br.sock");
  assert.deepEqual([found.name, asked], ["broker:endpoint", ["/run/br.sock 2000"]]);
  return found;
}

test("endpointCheck() warns when nobody listens, and names the endpoint", async () => {
  for (const [isRefused, detail] of [[false, "ENOENT"], [true, "ECONNREFUSED"]] as const) {
    const { status, detail: said } = await check({ kind: "unreachable", isRefused, detail });
    assert.equal(status, "WARN");
    assert.ok(said.startsWith(`no broker listening at /run/br.sock (${detail})`), said);
  }
});

test("endpointCheck() warns of a listener that does not answer a Hello", async () => {
  const silent = await check({ kind: "silent", detail: "nothing came within 2000 ms" });
  assert.equal(silent.status, "WARN");
  assert.match(silent.detail, /took a connection but did not answer.*within 2000 ms/);
  const empty = encodeNegotiatedReply(ECHO, {}).slice(0, FRAME_HEADER_BYTES);
  for (const body of [Uint8Array.of(0xff, 0xff), new Uint8Array(0), empty]) {
    const garbled = await check({ kind: "answered", body });
    assert.equal(garbled.status, "WARN");
    assert.match(garbled.detail, /did not answer a v1 Hello \(.+\)/);
  }
});

test("endpointCheck() passes a broker that negotiates, and says what it offers", async () => {
  const negotiated = { daemonVersion: "4.5.7", serverCapabilities: 3n };
  const { status, detail } = await check(answered(encodeNegotiatedReply(ECHO, negotiated)));
  assert.equal(status, "PASS");
  assert.equal(
    detail,
    "broker listening at /run/br.sock: daemon 4.5.7, protocol v1, capabilities 0x3 [HANDLE_PASSING, unknown:0x2]",
  );
});

test("endpointCheck() passes a broker that refuses the probe, and says with which code", async () => {
  const refusal = { code: ErrorCode.ERROR_SERVICE_UNKNOWN, reason: "no such service" };
  const { status, detail } = await check(answered(encodeRefusedReply(ECHO, refusal)));
  assert.equal(status, "PASS");
  assert.match(detail, /^broker listening at \/run\/br\.sock: protocol v1\.\.v1, .*ErrorServiceUnknown/);
});

test("endpointCheck() asks the user's shared broker when it is told no other", async () => {
  const { status, detail } = await endpointCheck(fakeHost(), undefined);
  assert.equal(status, "WARN");
  assert.ok(detail.includes(`${SOCKETS}/rpb-v1-${USER_HASH}-shared.sock`), detail);
});

test("endpointCheck() fails when the shared broker's endpoint cannot be derived", async () => {
  const environment = { XDG_RUNTIME_DIR: `/${"long/".repeat(20)}` };
  const hosts = [
    fakeHost({ userHash: () => Promise.reject(new Error("no machine id")) }),
    fakeHost({ values: fakeValues({ environment }) }),
  ];
  for (const host of hosts) {
    const { status, detail } = await endpointCheck(host, undefined);
    assert.equal(status, "FAIL", detail);
    assert.match(detail, /cannot be derived.*--socket/);
  }
});
