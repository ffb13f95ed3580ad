import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import process from "node:process";
import { after, describe, test } from "node:test";
import { BrokerError, connectLocalSocket } from "../../mod.ts";
import { makeBrokerCheck } from "../../src/backend/broker_check.ts";
import { HandoffAcceptor } from "../../src/backend/handoff_acceptor.ts";
import { proveBackend } from "../../src/broker/backend_probe.ts";
import { type ClientConnectionParts, serveClient } from "../../src/broker/client_connection.ts";
import { ExecutableHasher } from "../../src/host/executable.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { findSecondUser } from "../support/second_user.ts";
import { startProcess } from "../support/spawn.ts";
import { EventLog } from "./event_log.ts";
import { helloFrame } from "./hostile_frames.ts";
import { startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import { dialRaw, newToken, offerFrame, passablePair } from "./raw_control.ts";
import { WAIT, within } from "../support/waiting.ts";
import type { BackendEvent, BrokerEvent } from "../../mod.ts";

const transport = await loadTransport();
const { user, reason } = findSecondUser();
const served = await startLocalBackend();
const broker = await startLocalBroker(served);
after(async () => {
  await broker[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

/** To whom every process of this user is a stranger: the kernel's word is compared with another user's id. */
const somebodyElse = transport.ownUser + 1;

/** Parts of which none may be used for a stranger but these. */
function partsOf(ownUser: number, log: EventLog<BrokerEvent>): ClientConnectionParts {
  return { transport: { ...transport, ownUser }, observe: log.observe } as ClientConnectionParts;
}

describe("by injected credentials, also without a second user", () => {
  test("a client of another user is dropped unread and unanswered", async () => {
    const log = new EventLog<BrokerEvent>();
    const endpoint = served.dir.join("theirs.sock");
    await using listener = await transport.listenPassable(endpoint, {}, (incoming) => {
      void serveClient(partsOf(somebodyElse, log), incoming);
    });
    const stream = await connectLocalSocket(listener.endpoint);
    await stream.write(helloFrame()).catch(() => {/* dropped already */});
    assert.equal((await within("the end", readToEnd(stream))).length, 0);
    stream.close();
    const { peer } = await log.nth("peer-dropped", 1);
    assert.equal(peer?.uid, transport.ownUser);
    assert.equal(log.events.length, 1);
  });

  test("nobody asks for the bytes of a client of another user, or of one without credentials", async () => {
    for (const uid of [somebodyElse, undefined]) {
      const log = new EventLog<BrokerEvent>();
      const calls: string[] = [];
      await serveClient(partsOf(transport.ownUser, log), {
        peer: uid === undefined ? undefined : { pid: 1, uid, gid: uid },
        firstFrame: () => Promise.reject(calls.push("read")),
        close: () => calls.push("close"),
      });
      assert.deepEqual(calls, ["close"]);
      assert.deepEqual(log.events.map(({ kind }) => kind), ["peer-dropped"]);
    }
  });

  test("a broker of another user is not taken a connection from", async () => {
    const log = new EventLog<BackendEvent>();
    const adopted: unknown[] = [];
    const acceptor = new HandoffAcceptor({
      checkBroker: makeBrokerCheck({ ...transport, ownUser: somebodyElse }, undefined),
      observe: log.observe,
      adopted: (stream) => adopted.push(stream),
    });
    const endpoint = served.dir.join("their-handoffs.sock");
    await using listener = await transport.listenControl(endpoint, {}, (control) => {
      void acceptor.accept(control);
    });
    const pair = passablePair();
    const control = await dialRaw(listener.endpoint);
    const token = newToken();
    try {
      control.sendWithFds(token, [pair.passed]);
    } catch {
      // Hung up already: then the descriptor has not even left.
    }
    control.send(offerFrame({ token }));
    assert.equal((await control.answer()).length, 0);
    const refused = await log.nth("handoff-refused", 1);
    assert.equal(refused.reason, "peer-rejected");
    assert.match(
      refused.detail,
      new RegExp(`the broker is uid ${transport.ownUser}, wanted uid ${somebodyElse}`),
    );
    assert.deepEqual(adopted, []);
    control.close();
    pair.forget();
    assert.equal((await within("the end of the client", readToEnd(pair.client))).length, 0);
    pair.client.close();
  });

  test("a backend of another user is nobody's backend", async () => {
    const expected = { endpoint: served.endpoint, namespaceId: "shared", binaryPath: process.execPath };
    const proving = proveBackend({ ...transport, ownUser: somebodyElse }, new ExecutableHasher(), expected, {
      deadlineMs: WAIT.deadlineMs,
    });
    const error = await proving.then(() => undefined, (seen: unknown) => seen);
    assert.ok(BrokerError.is(error), String(error));
    assert.equal(error.code, "peer-rejected");
    assert.match(error.message, /it belongs to uid \d+, wanted \d+/);
  });
});

/** Connects, sends, with a descriptor if told so, and tells what came back. */
const STRANGER = `
import json, os, socket, sys
path, data, with_fd = sys.argv[1], bytes.fromhex(sys.argv[2]), sys.argv[3] == "fd"
s = socket.socket(socket.AF_UNIX); s.settimeout(20); seen = {"errno": 0, "bytes": -1}
try:
    s.connect(path)
    if with_fd: socket.send_fds(s, [data[:16]], [0]); data = data[16:]
    s.sendall(data)
except OSError as e: seen["errno"] = e.errno
try:
    count, chunk = 0, s.recv(4096)
    while chunk: count += len(chunk); chunk = s.recv(4096)
    seen["bytes"] = count
except OSError as e: seen["end"] = e.errno
print(json.dumps(seen))
`;

async function comeAsStranger(endpoint: string, bytes: Uint8Array, kind: "plain" | "fd" = "plain") {
  assert.ok(user);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const command = user.wrap({
    command: "/usr/bin/env",
    args: ["python3", "-c", STRANGER, endpoint, hex, kind],
  });
  await using child = startProcess(command, { cwd: "/" });
  return JSON.parse(await child.waitForLine(() => true, WAIT));
}

describe("by a second user of this machine", () => {
  const EACCES = 13;
  const token = newToken();
  const doors = [broker.endpoint, served.endpoint, served.handoffEndpoint];

  test("through a private directory nobody else gets to any endpoint", { skip: reason }, async () => {
    for (const endpoint of doors) {
      assert.equal((await comeAsStranger(endpoint, helloFrame())).errno, EACCES, endpoint);
    }
    assert.deepEqual(broker.events.of("peer-dropped"), []);
  });

  test("a socket is its owner's even in a directory that anybody may enter", { skip: reason }, async () => {
    chmodSync(served.dir.path, 0o711);
    try {
      for (const endpoint of doors) {
        assert.equal((await comeAsStranger(endpoint, helloFrame())).errno, EACCES, endpoint);
      }
    } finally {
      chmodSync(served.dir.path, 0o700);
    }
  });

  test("who gets through all the same is dropped by broker and backend", { skip: reason }, async () => {
    assert.ok(user);
    const before = await settledFdCount();
    chmodSync(served.dir.path, 0o711);
    for (const endpoint of [broker.endpoint, served.handoffEndpoint]) chmodSync(endpoint, 0o666);
    try {
      const client = await comeAsStranger(broker.endpoint, helloFrame());
      assert.ok(client.bytes <= 0, JSON.stringify(client));
      assert.equal((await broker.events.nth("peer-dropped", 1)).peer?.uid, user.uid);
      assert.deepEqual(broker.events.of("hello"), []);

      const offer = new Uint8Array([...token, ...offerFrame({ token })]);
      const control = await comeAsStranger(served.handoffEndpoint, offer, "fd");
      assert.ok(control.bytes <= 0, JSON.stringify(control));
      const refused = await served.events.nth("handoff-refused", 1);
      assert.deepEqual([refused.reason, refused.detail], [
        "peer-rejected",
        `the broker is uid ${user.uid}, wanted uid ${transport.ownUser}`,
      ]);
    } finally {
      for (const endpoint of [broker.endpoint, served.handoffEndpoint]) chmodSync(endpoint, 0o600);
      chmodSync(served.dir.path, 0o700);
    }
    assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
  });
});
