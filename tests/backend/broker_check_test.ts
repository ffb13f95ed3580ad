import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import test from "node:test";
import { makeBrokerCheck } from "../../src/backend/broker_check.ts";
import type { LaunchingBroker } from "../../src/backend/launched_options.ts";
import { processIdentity } from "../../src/host/process_identity.ts";
import type { PeerCredentials } from "../../src/transport/local_stream.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { encodeAdminRequest } from "../../src/wire/admin_frames.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { transport } from "../transport/_transport.ts";

const uid = transport.ownUser;
const own = (await processIdentity(process.pid))!;
const peer = (fields: Partial<PeerCredentials> = {}): PeerCredentials => ({
  pid: process.pid,
  uid,
  gid: 0,
  ...fields,
});
/** A process that is not here any more, or never was. */
const GONE = { pid: process.pid, startMark: "1" };

/** The kernel's sockets, counting connects; the peer may be told otherwise. */
function watched(seen: Partial<PeerCredentials> = {}) {
  const calls = { connects: 0 };
  const over: Pick<Transport, "ownUser" | "connectWithPeer"> = {
    ownUser: uid,
    async connectWithPeer(endpoint, options) {
      calls.connects++;
      const found = await transport.connectWithPeer(endpoint, options);
      return { stream: found.stream, peer: { ...found.peer, ...seen } };
    },
  };
  return { calls, over };
}

/** A broker's endpoint, served by this process; `isSilent`: it takes requests and answers none. */
async function serveEndpoint(isSilent = false) {
  const dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  const requests: number[] = [];
  const listener = await transport.listen(endpoint, {}, (stream) => {
    void stream.read().then(async (bytes) => {
      requests.push(bytes?.length ?? 0);
      // Any frame will do for an answer.
      if (!isSilent) await stream.write(encodeAdminRequest({ verb: AdminVerb.HEALTHZ }));
    }).catch(() => {});
  });
  return {
    endpoint,
    requests,
    launchedBy: (by = GONE): LaunchingBroker => ({ endpoint, process: by }),
    async [Symbol.asyncDispose]() {
      await listener.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const NEITHER =
  `process ${process.pid} is neither the broker that launched this backend nor serves its endpoint`;

test("a backend takes offers from its own user alone", async () => {
  for (const launchedBy of [undefined, { endpoint: "/none/br.sock", process: own }]) {
    const check = makeBrokerCheck(transport, launchedBy);
    assert.equal(await check(peer({ uid: uid + 1 })), `the broker is uid ${uid + 1}, wanted uid ${uid}`);
    assert.equal(await check(undefined), `the broker is an unknown user, wanted uid ${uid}`);
    assert.equal(await check(peer()), undefined);
    // A kernel that names no process.
    assert.equal(await check(peer({ pid: 0 })), undefined);
  }
});

test("a backend that no broker launched takes offers from any process of its user", async () => {
  const { calls, over } = watched();
  assert.equal(await makeBrokerCheck(over, undefined)(peer({ pid: 1 })), undefined);
  assert.equal(calls.connects, 0);
});

test("the broker that launched a backend is known without a look at its endpoint", async () => {
  const { calls, over } = watched();
  const check = makeBrokerCheck(over, { endpoint: "/none/br.sock", process: own });
  assert.equal(await check(peer()), undefined);
  assert.equal(calls.connects, 0);
  assert.match(await check(peer({ pid: process.ppid })) ?? "", /did not launch .* is not known: .*ENOENT/);
});

test("a later process with the number of the broker that launched a backend is not that broker", async () => {
  const check = makeBrokerCheck(transport, { endpoint: "/none/br.sock", process: GONE });
  assert.match(await check(peer()) ?? "", /is not known: .*ENOENT/);
});

test("the process that serves the broker's endpoint now is its successor, asked politely and once", async () => {
  await using served = await serveEndpoint();
  const { calls, over } = watched();
  const check = makeBrokerCheck(over, served.launchedBy());
  const answers = await Promise.all(Array.from({ length: 10 }, () => check(peer())));
  assert.deepEqual(answers, Array(10).fill(undefined));
  assert.equal(await check(peer()), undefined);
  assert.equal(calls.connects, 1);
  assert.deepEqual(served.requests.map((length) => length > 0), [true]);
});

test("a process that does not serve the broker's endpoint is refused, each time anew", async () => {
  await using served = await serveEndpoint();
  const { calls, over } = watched({ pid: process.ppid });
  const check = makeBrokerCheck(over, served.launchedBy());
  for (const connects of [1, 2]) {
    assert.equal(await check(peer()), NEITHER);
    assert.equal(calls.connects, connects);
  }
});

test("another user who serves the broker's endpoint is nobody's successor", async () => {
  await using served = await serveEndpoint();
  const check = makeBrokerCheck(watched({ uid: uid + 1 }).over, served.launchedBy());
  assert.match(await check(peer()) ?? "", new RegExp(`uid ${uid + 1} serves it`));
  assert.deepEqual(served.requests.filter((length) => length > 0), []);
});

test("a successor that has ended is not known by its number any more", async () => {
  await using served = await serveEndpoint();
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid!;
  const { calls, over } = watched({ pid });
  const check = makeBrokerCheck(over, served.launchedBy());
  assert.equal(await check(peer({ pid })), undefined);
  assert.equal(await check(peer({ pid })), undefined);
  assert.equal(calls.connects, 1);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.match(await check(peer({ pid })) ?? "", /which served it, has ended/);
});

test("an endpoint that answers nothing proves nobody, and holds an offer up for a bounded time", async () => {
  await using served = await serveEndpoint(true);
  const check = makeBrokerCheck(transport, served.launchedBy());
  assert.match(await check(peer()) ?? "", /is not known: .*nothing came within 1000 ms/);
});
