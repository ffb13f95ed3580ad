import assert from "node:assert/strict";
import { openSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { UnixPassedConnection } from "../../../src/transport/unix/passed_connection.ts";
import { settledFdCount } from "../../support/fd_count.ts";
import { native, pattern, readBytes, socketPair } from "../_transport.ts";

function open(): { passed: UnixPassedConnection; fd: number; client: number } {
  const [fd, client] = socketPair();
  return { passed: new UnixPassedConnection(native, native.ownFd(fd)), fd, client };
}

test("state() tells whether bytes wait and takes none of them", async () => {
  const { passed, fd, client } = open();
  assert.equal(passed.label, `fd ${fd}`);
  assert.equal(passed.state(), "empty");
  native.sockets.sendBytes(client, pattern(9));
  assert.equal(passed.state(), "readable");
  assert.equal(passed.state(), "readable");
  const stream = passed.adopt();
  assert.deepEqual(await readBytes(stream, 9), pattern(9));
  stream.close();
  native.sockets.closeFd(client);
});

test("state() tells a client that left, behind what it sent", () => {
  const silent = open();
  native.sockets.closeFd(silent.client);
  assert.equal(silent.passed.state(), "eof");
  silent.passed.close();

  const talking = open();
  native.sockets.sendBytes(talking.client, pattern(9));
  native.sockets.closeFd(talking.client);
  assert.equal(talking.passed.state(), "readable");
  talking.passed.close();
});

test("state() tells a descriptor that is no connection", () => {
  const { passed, fd, client } = open();
  const broken = {
    ...native,
    sockets: {
      ...native.sockets,
      isReadable: () => ({ kind: "error", errno: 88, name: "ENOTSOCK" } as const),
    },
  };
  assert.equal(new UnixPassedConnection(broken, native.ownFd(fd)).state(), "failed");
  passed.close();
  native.sockets.closeFd(client);
});

test("close() gives it up unserved, and may be repeated", () => {
  const { passed, client } = open();
  passed.close();
  passed.close();
  assert.deepEqual(native.sockets.receiveBytes(client, 10), { kind: "eof" });
  native.sockets.closeFd(client);
});

test("once adopted it is the stream's: closing the passed end does nothing", async () => {
  const { passed, client } = open();
  const stream = passed.adopt();
  passed.close();
  assert.throws(() => passed.adopt());
  await stream.write(pattern(5));
  assert.deepEqual(native.sockets.receiveBytes(client, 10), { kind: "data", bytes: pattern(5) });
  stream.close();
  await stream.closed;
  assert.deepEqual(native.sockets.receiveBytes(client, 10), { kind: "eof" });
  native.sockets.closeFd(client);
});

test("a descriptor that the runtime does not take stays ours to close", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const fd = openSync("/dev/null", "r");
  const passed = new UnixPassedConnection(native, native.ownFd(fd));
  assert.equal(passed.state(), "failed");
  const before = await settledFdCount();
  assert.throws(() => passed.adopt(), Error);
  passed.close();
  assert.equal(await settledFdCount(), before - 1);
});
