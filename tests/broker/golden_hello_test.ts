import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { type ClientConnectionParts, serveClient } from "../../src/broker/client_connection.ts";
import { HandoffDesk } from "../../src/broker/handoff_desk.ts";
import { HelloHandler, type HelloRoute } from "../../src/broker/hello_handler.ts";
import { HelloRateLimiter } from "../../src/broker/hello_rate_limiter.ts";
import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { HandoffTokenStore } from "../../src/handoff/token_store.ts";
import { checkVersionAllowed } from "../../src/service/version_policy.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { HELLO_BYTES_MAX } from "../../src/wire/constants.ts";
import { DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import type { Hello } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { fromHex, goldenVersions, loadGolden, toHex } from "../support/golden.ts";
import { FakeClient } from "./fake_client.ts";

interface HelloVector {
  id: string;
  note: string;
  peer_pid: number;
  random_token: string | null;
  request_wire: string;
  reply_wire: string;
  reply: unknown;
  service_def: { service_name: string; min_version: string; version_allow_list: string[] };
}

const KEYS = ["id", "note", "peer_pid", "random_token", "reply", "reply_wire", "request_wire", "service_def"];
const OWN_USER = 1000;

for (const version of goldenVersions) {
  const { vectors } = loadGolden<HelloVector>(version, "hello");
  test(`serveClient() answers each Hello of the ${version} reference byte for byte (${vectors.length})`, async () => {
    for (const vector of vectors) {
      assert.deepEqual(Object.keys(vector).sort(), KEYS, vector.id);
      const client = new FakeClient(fromHex(vector.request_wire), {
        pid: vector.peer_pid,
        uid: OWN_USER,
        gid: 0,
      });
      await serveClient(parts(vector), client);
      assert.equal(client.written.length, 1, vector.id);
      assert.equal(toHex(client.written[0]!), vector.reply_wire, `${vector.id} ${vector.note}`);
      assert.equal(client.endings.length, 1, `${vector.id}: ended ${client.endings.join(", ")}`);
    }
  });
}

/** A broker's parts around one table entry, as the reference's bare handler has it. */
function parts(vector: HelloVector): ClientConnectionParts {
  const clock = () => 0;
  const token = fromHex(vector.random_token || "00".repeat(16));
  const tokens = new HandoffTokenStore(() => token);
  const books = { tokens, acks: new HandoffAckRegistry() };
  const transport = { ownUser: OWN_USER, dialControl: () => Promise.reject(new Error("no backend")) };
  const abort = new AbortController();
  const observe = () => {};
  const rate = new HelloRateLimiter();
  return {
    transport: transport as unknown as Transport,
    handler: new HelloHandler({
      tokens,
      rate,
      route: (hello) => route(hello, vector),
      mayHandOver: () => true,
    }),
    handoffs: new HandoffDesk({
      transport: transport as unknown as Transport,
      books,
      clock,
      observe,
      abort: abort.signal,
    }),
    firstFrameDeadlineMs: 1_000,
    firstFrameBytesMax: HELLO_BYTES_MAX,
    clock,
    observe,
    isDraining: () => false,
    answerAdmin: () => Promise.reject(new Error("no admin here")),
    stop: abort.signal,
  };
}

function route(hello: Hello, { service_def }: HelloVector): HelloRoute<RegisteredBackend> {
  if (hello.serviceName !== service_def.service_name) {
    return { kind: "refused", refusal: REFUSALS.notInTable };
  }
  const policy = { minVersion: service_def.min_version, versionAllowList: service_def.version_allow_list };
  const blocked = checkVersionAllowed(policy, hello.wantedVersion);
  if (blocked === "BelowMinVersion") return { kind: "refused", refusal: REFUSALS.belowMinVersion };
  if (blocked !== undefined) return { kind: "refused", refusal: REFUSALS.outsideAllowList };
  return { kind: "backend", backend: BACKEND };
}

const BACKEND: RegisteredBackend = {
  key: { instanceId: "shared", service: "zccache", version: "1.11.20" },
  daemonVersion: "1.11.20",
  backendPipe: "/tmp/be.sock",
  serverCapabilities: 0n,
  handoffEndpoint: "/tmp/ho.sock",
  identity: create(DaemonProcessSchema, { pid: 4242 }),
  process: { pid: 4242, startMark: "1" },
};
