import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { NetStream } from "../../../src/transport/net_stream.ts";
import { adoptSocketFd } from "../../../src/transport/socket_fd.ts";
import { UnixControlConnection } from "../../../src/transport/unix/control_connection.ts";
import { UnixDetachedConnection } from "../../../src/transport/unix/detached_connection.ts";
import { ownedEnd } from "../../../src/transport/unix/detached_end.ts";
import { encodeFramed } from "../../../src/wire/framing.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { native, pattern, readBytes, socketPair } from "../_transport.ts";

const needsProc = { skip: process.platform !== "linux" && "reads /proc" };

/** A channel of real sockets: the broker's ends, and the backend's as bare descriptors. */
function channel() {
  const [[near, fds], [ring, offers]] = [socketPair(), socketPair()];
  return {
    passing: new UnixControlConnection(native, adoptSocketFd(near)),
    doorbell: new UnixControlConnection(native, adoptSocketFd(ring)),
    fds,
    offers,
  };
}

/** A connection to pass; its client's end is a bare descriptor. */
function client() {
  const [mine, theirs] = socketPair();
  return { connection: new UnixDetachedConnection(native, ownedEnd(native.ownFd(mine))), client: theirs };
}

const frameOf = (id: number, length: number) =>
  encodeFramed({ envelopeVersion: 1, kind: 1, payload: pattern(length, id), requestId: BigInt(id) });

test(
  "descriptors go on one connection and offers on the other; nothing of either is on the other's",
  needsProc,
  async () => {
    const before = await settledFdCount();
    const { passing, doorbell, fds, offers } = channel();
    const one = client();
    const frame = frameOf(1, 100);
    assert.deepEqual(passing.pass(one.connection, pattern(16), () => frame, doorbell), { ok: true });
    one.connection.close();
    const received = native.fdPassing.receive(fds, 100, { fdsMax: 2 });
    assert.ok(received.kind === "data");
    assert.deepEqual([received.bytes, received.fds.length], [pattern(16), 1]);
    assert.deepEqual(native.fdPassing.receive(fds, 100, { fdsMax: 2 }), { kind: "again" });
    assert.deepEqual(native.sockets.receiveBytes(offers, 10_000), {
      kind: "data",
      bytes: Uint8Array.from(frame),
    });
    native.sockets.sendBytes(one.client, pattern(4));
    assert.deepEqual(native.sockets.receiveBytes(received.fds[0]!, 10), { kind: "data", bytes: pattern(4) });
    for (const fd of [fds, offers, one.client, received.fds[0]!]) native.sockets.closeFd(fd);
    passing.close();
    doorbell.close();
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  },
);

test(
  "rule 20: a backend that stalls finds every descriptor's offer, whole and in order, until the kernel takes no more",
  needsProc,
  async () => {
    const before = await settledFdCount();
    const { passing, doorbell, fds, offers } = channel();
    const clients: number[] = [];
    let outcome = { ok: true };
    // Offers of this size fill the doorbell long before the descriptors' connection is full.
    while (outcome.ok && clients.length < 10_000) {
      const one = client();
      const id = clients.length;
      outcome = passing.pass(one.connection, pattern(16, id), () => frameOf(id, 12_000), doorbell);
      one.connection.close();
      if (outcome.ok) clients.push(one.client);
      else native.sockets.closeFd(one.client);
    }
    assert.ok(clients.length > 20, `${clients.length} offers`);
    assert.ok("reachedBackend" in outcome && "kind" in outcome);
    assert.deepEqual(
      [outcome.kind, outcome.reachedBackend],
      ["WouldBlock", false],
      "not a byte of the last one left",
    );

    const reader = new NetStream(adoptSocketFd(offers));
    for (const [id, end] of clients.entries()) {
      const frame = frameOf(id, 12_000);
      assert.deepEqual(await readBytes(reader, frame.length), Uint8Array.from(frame), `offer ${id}`);
      const received = native.fdPassing.receive(fds, 16, { fdsMax: 2 });
      assert.ok(received.kind === "data" && received.fds.length === 1, `descriptor ${id}`);
      assert.deepEqual(received.bytes, pattern(16, id));
      native.sockets.sendBytes(end, pattern(3, id));
      assert.deepEqual(native.sockets.receiveBytes(received.fds[0]!, 10), {
        kind: "data",
        bytes: pattern(3, id),
      });
      for (const fd of [received.fds[0]!, end]) native.sockets.closeFd(fd);
    }
    // There is room again, and the order still holds.
    const one = client();
    assert.deepEqual(passing.pass(one.connection, pattern(16, 7), () => frameOf(7, 10), doorbell), {
      ok: true,
    });
    one.connection.close();
    assert.deepEqual(await readBytes(reader, frameOf(7, 10).length), Uint8Array.from(frameOf(7, 10)));
    for (const fd of [fds, one.client]) native.sockets.closeFd(fd);
    for (const stream of [reader, passing, doorbell]) stream.close();
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  },
);

test(
  "rule 20: an offer never overtakes one that the runtime still holds back, though there is room again",
  needsProc,
  async () => {
    const { passing, doorbell, fds, offers } = channel();
    const clients = [0, 1, 2, 3, 4].map(() => client());
    const pass = (id: number) => {
      const outcome = passing.pass(
        clients[id]!.connection,
        pattern(16, id),
        () => frameOf(id, 200_000),
        doorbell,
      );
      assert.deepEqual(outcome, { ok: true });
    };
    // No turn of the event loop in here: the runtime cannot write what it holds back.
    for (const id of [0, 1, 2]) {
      pass(id);
    }
    const front: Uint8Array[] = [];
    for (let seen = 0; seen < 150_000;) {
      const taken = native.sockets.receiveBytes(offers, 50_000);
      assert.ok(taken.kind === "data");
      front.push(taken.bytes);
      seen += taken.bytes.length;
    }
    for (const id of [3, 4]) pass(id);
    const reader = new NetStream(adoptSocketFd(offers));
    for (const bytes of front.reverse()) reader.unread(bytes);
    for (const id of clients.keys()) {
      const frame = frameOf(id, 200_000);
      assert.deepEqual(await readBytes(reader, frame.length), Uint8Array.from(frame), `offer ${id}`);
    }
    for (const { connection, client: end } of clients) {
      connection.close();
      native.sockets.closeFd(end);
    }
    native.sockets.closeFd(fds);
    for (const stream of [reader, passing, doorbell]) stream.close();
  },
);

test("rule 21: a doorbell that is gone behind the descriptor has let the connection go", () => {
  const { passing, doorbell, fds, offers } = channel();
  const one = client();
  doorbell.close();
  const outcome = passing.pass(one.connection, pattern(16), () => frameOf(1, 10), doorbell);
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.kind, outcome.reachedBackend], ["SendFailed", true]);
  const gone = channel();
  native.sockets.closeFd(gone.offers);
  const second = gone.passing.pass(one.connection, pattern(16), () => frameOf(1, 10), gone.doorbell);
  assert.ok(!second.ok);
  assert.deepEqual([second.kind, second.reachedBackend], ["SendFailed", true]);
  one.connection.close();
  for (const fd of [fds, offers, gone.fds, one.client]) native.sockets.closeFd(fd);
  for (const stream of [passing, gone.passing, gone.doorbell]) stream.close();
});

test("rule 25: descriptors that wait in a connection end with its receiver", needsProc, async () => {
  const before = await settledFdCount();
  const { passing, doorbell, fds, offers } = channel();
  const all = Array.from({ length: 5 }, (_, id) => {
    const one = client();
    assert.ok(passing.pass(one.connection, pattern(16, id), () => frameOf(id, 10), doorbell).ok);
    one.connection.close();
    return one.client;
  });
  for (const end of all) assert.deepEqual(native.sockets.receiveBytes(end, 10), { kind: "again" });
  native.sockets.closeFd(fds);
  for (const end of all) {
    assert.deepEqual(native.sockets.receiveBytes(end, 10), { kind: "eof" });
    native.sockets.closeFd(end);
  }
  native.sockets.closeFd(offers);
  for (const stream of [passing, doorbell]) stream.close();
  assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});
