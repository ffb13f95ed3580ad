import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { LocalStream } from "../../../src/transport/local_stream.ts";
import { NetStream } from "../../../src/transport/net_stream.ts";
import { adoptSocketFd } from "../../../src/transport/socket_fd.ts";
import { UnixDetachedConnection } from "../../../src/transport/unix/detached_connection.ts";
import { ownedEnd } from "../../../src/transport/unix/detached_end.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { settled, WAIT, within } from "../../support/waiting.ts";
import { native, pattern, readAll, readBytes, socketPair } from "../_transport.ts";

const MIB = 1024 * 1024;

/** A detached connection and its client. */
function open(): { connection: UnixDetachedConnection; client: LocalStream; fd: number } {
  const [near, far] = socketPair();
  const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(near)));
  return { connection, client: new NetStream(adoptSocketFd(far)), fd: near };
}

/** Fills the way to the client; gives how many bytes that took. */
function fill(fd: number): number {
  for (let bytes = 0;;) {
    const sent = native.sockets.sendBytes(fd, pattern(4096));
    if (sent.kind !== "sent") return bytes;
    bytes += sent.bytesSent;
  }
}

test("its label names the descriptor while there is one", () => {
  const { connection, client, fd } = open();
  assert.equal(connection.label, `fd ${fd}`);
  assert.equal(connection.fd, fd);
  connection.close();
  assert.equal(connection.label, "closed fd");
  client.close();
});

test("sendNow() writes a frame whole or says why not", async () => {
  const { connection, client } = open();
  assert.deepEqual(connection.sendNow(pattern(50)), { ok: true });
  assert.deepEqual(await readBytes(client, 50), pattern(50));
  connection.close();
  client.close();

  const full = open();
  fill(full.fd);
  assert.deepEqual(full.connection.sendNow(pattern(5)), { ok: false, detail: "the socket's buffer is full" });
  full.client.close();
  await full.client.closed;
  assert.deepEqual(full.connection.sendNow(pattern(5)), { ok: false, detail: "send returned EPIPE" });
  full.connection.close();
});

test("sendNow() of more than the socket takes tells how much left", () => {
  const { connection, client } = open();
  const sent = connection.sendNow(new Uint8Array(8 * MIB));
  assert.ok(!sent.ok);
  assert.match(sent.detail, /^the socket took [0-9]+ of 8388608 bytes$/);
  connection.close();
  client.close();
});

test("finish() writes a short reply and closes at once", async () => {
  const { connection, client } = open();
  await connection.finish(pattern(300), WAIT);
  assert.equal(connection.label, "closed fd");
  assert.deepEqual(await readAll(client), pattern(300));
  client.close();
});

test("finish() writes a reply larger than the socket's buffer to a slow reader, to its last byte", async () => {
  const { connection, client } = open();
  const reply = pattern(4 * MIB);
  let isDone = false;
  const finishing = connection.finish(reply, WAIT).then(() => isDone = true);
  await settled(() => Number(isDone));
  assert.equal(isDone, false);
  assert.deepEqual(await readAll(client), reply);
  await within("finishing", finishing);
  client.close();
});

test("finish() of a reply to a full socket waits for room", async () => {
  const { connection, client, fd } = open();
  const before = fill(fd);
  const finishing = connection.finish(pattern(300, 9), WAIT);
  const seen = await readAll(client);
  assert.deepEqual(seen.subarray(before), pattern(300, 9));
  await within("finishing", finishing);
  client.close();
});

test("finish() gives a client up that does not read: at the deadline, or when told to stop", async () => {
  const late = open();
  await within("the deadline", late.connection.finish(pattern(4 * MIB), { deadlineMs: 30 }));
  assert.ok((await readAll(late.client)).length < 4 * MIB);
  late.client.close();

  const stopped = open();
  const controller = new AbortController();
  const wait = { ...WAIT, signal: controller.signal };
  const finishing = stopped.connection.finish(pattern(4 * MIB), wait);
  controller.abort(new Error("the broker stops"));
  await within("the end", finishing);
  assert.ok((await readAll(stopped.client)).length < 4 * MIB);
  stopped.client.close();
});

test("finish() does not complain about a client that left, before or while it is answered", async () => {
  const before = open();
  before.client.close();
  await before.client.closed;
  await before.connection.finish(pattern(10), WAIT);
  assert.equal(before.connection.label, "closed fd");

  const meanwhile = open();
  const finishing = meanwhile.connection.finish(pattern(4 * MIB), WAIT);
  await readBytes(meanwhile.client, 100);
  meanwhile.client.close();
  await within("the end", finishing);
});

test("finish() leaves no descriptor, however it ends", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const before = await settledFdCount();
  for (const bytes of [10, 4 * MIB]) {
    for (const isRead of [true, false]) {
      const { connection, client } = open();
      const finishing = connection.finish(pattern(bytes), { deadlineMs: isRead ? 10_000 : 10 });
      if (isRead) await readAll(client);
      await finishing;
      client.close();
    }
  }
  assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});

test("close() gives our copy up; a copy that was passed lives on", async () => {
  const { connection, client, fd } = open();
  const copy = native.sockets.duplicateFd(fd);
  assert.ok(copy.ok);
  connection.close();
  connection.close();
  connection.shutdownAndClose();
  const passed = new NetStream(adoptSocketFd(copy.fd));
  await client.write(pattern(40));
  assert.deepEqual(await readBytes(passed, 40), pattern(40));
  await passed.write(pattern(50));
  assert.deepEqual(await readBytes(client, 50), pattern(50));
  passed.close();
  client.close();
});

test("shutdownAndClose() ends the connection for every holder of a copy", async () => {
  const { connection, client, fd } = open();
  const copy = native.sockets.duplicateFd(fd);
  assert.ok(copy.ok);
  connection.shutdownAndClose();
  connection.shutdownAndClose();
  assert.equal(connection.label, "closed fd");
  assert.deepEqual(native.sockets.receiveBytes(copy.fd, 10), { kind: "eof" });
  assert.deepEqual(native.sockets.sendBytes(copy.fd, pattern(1)), {
    kind: "error",
    errno: native.errno.numbers.EPIPE,
    name: "EPIPE",
  });
  assert.equal(await within("the client's end", client.read()), null);
  client.close();
  native.sockets.closeFd(copy.fd);
});
