import assert from "node:assert/strict";
import { test } from "node:test";
import type { DialOutcome, DoctorHost } from "../../src/doctor/doctor_host.ts";
import { encodeProbeHello } from "../../src/doctor/probe_hello.ts";
import { runtimeDirectoryCheck } from "../../src/doctor/runtime_directory_check.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { BACKEND_PROBE_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { fakeHost, fakeValues, NOBODY, SOCKETS, USER_HASH } from "./_fake_host.ts";

const REFUSED: DialOutcome = { kind: "unreachable", isRefused: true, detail: "ECONNREFUSED" };
const SILENT: DialOutcome = { kind: "silent", detail: "nothing came" };

function hostWith(outcomes: Readonly<Record<string, DialOutcome>>, changes: Partial<DoctorHost> = {}) {
  const requests = new Map<string, Uint8Array>();
  const host = fakeHost({
    kindOf: () => Promise.resolve("directory"),
    listNames: () => Promise.resolve(Object.keys(outcomes)),
    dial(endpoint, request) {
      const name = endpoint.slice(SOCKETS.length + 1);
      requests.set(name, request);
      return Promise.resolve(outcomes[name]!);
    },
    ...changes,
  });
  return { host, requests };
}

test("runtimeDirectoryCheck() counts as stale what refuses a connection, and nothing else", async () => {
  const { host, requests } = hostWith({
    "live.sock": { kind: "answered", body: new Uint8Array() },
    "silent.sock": SILENT,
    "gone.sock": NOBODY,
    "dead.sock": REFUSED,
    "also-dead.sock": REFUSED,
    "not-a-socket.txt": REFUSED,
  });
  const { name, status, detail } = await runtimeDirectoryCheck(host);
  assert.deepEqual([name, status], ["sockets:runtime-dir", "WARN"]);
  assert.match(detail, /2 of 5 sockets are stale .*also-dead\.sock; nothing was deleted/);
  assert.ok(!requests.has("not-a-socket.txt"));
});

test("runtimeDirectoryCheck() passes a directory without stale sockets, a missing one and Windows", async () => {
  const { host } = hostWith({ "live.sock": SILENT });
  assert.match((await runtimeDirectoryCheck(host)).detail, /1 sockets, none stale/);
  const missing = await runtimeDirectoryCheck(fakeHost());
  assert.deepEqual([missing.status, /does not exist/.test(missing.detail)], ["PASS", true]);
  const windows = await runtimeDirectoryCheck(fakeHost({ values: fakeValues({ platform: "windows" }) }));
  assert.deepEqual([windows.status, /not applicable/.test(windows.detail)], ["PASS", true]);
});

test("runtimeDirectoryCheck() fails when the directory cannot be looked at", async () => {
  const { host } = hostWith({}, { listNames: () => Promise.reject(new Error("EACCES")) });
  const { status, detail } = await runtimeDirectoryCheck(host);
  assert.deepEqual([status, /EACCES/.test(detail)], ["FAIL", true]);
});

test("runtimeDirectoryCheck() sends a Hello, and to a backend the question who it is: never nothing", async () => {
  const backend = `rpb-v1-${USER_HASH}-be-${"ab".repeat(16)}.sock`;
  const { host, requests } = hostWith({ [backend]: SILENT, "broker.sock": SILENT });
  await runtimeDirectoryCheck(host);
  assert.deepEqual(requests.get("broker.sock"), encodeProbeHello(host.pid));
  const frame = decodeStrict(FrameSchema, requests.get(backend)!.subarray(FRAME_HEADER_BYTES));
  assert.equal(frame.payloadProtocol, BACKEND_PROBE_PAYLOAD_PROTOCOL);
});

test("runtimeDirectoryCheck() asks a few sockets at a time, and all of them", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `s${index}.sock`);
  let [asking, most, asked] = [0, 0, 0];
  const { host } = hostWith(Object.fromEntries(names.map((name) => [name, SILENT])), {
    async dial() {
      most = Math.max(most, ++asking);
      asked++;
      await Promise.resolve();
      asking--;
      return REFUSED;
    },
  });
  assert.match((await runtimeDirectoryCheck(host)).detail, /100 of 100/);
  assert.ok(asked === 100 && most <= 16, `${most} at a time`);
});
