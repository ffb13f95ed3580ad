import assert from "node:assert/strict";
import net, { type Socket } from "node:net";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { adoptSocketFd, socketFd } from "../../src/transport/socket_fd.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { native, socketPair } from "./_transport.ts";

test("the descriptor of a socket is the kernel's own number for it", async () => {
  await using dir = await makeTempDir();
  const server = net.createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(dir.join("s.sock"), resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = net.connect(dir.join("s.sock"));
  const socket = await accepted;
  const sent = native.sockets.sendBytes(socketFd(socket), Uint8Array.of(1, 2, 3));
  assert.deepEqual(sent, { kind: "sent", bytesSent: 3 });
  const seen = await new Promise<Uint8Array>((resolve) => client.once("data", resolve));
  assert.deepEqual([...seen], [1, 2, 3]);
  client.destroy();
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test("a socket that shows no usable descriptor is reported, not guessed", () => {
  const handles = [undefined, null, {}, { fd: -1 }, { fd: 1.5 }, { fd: "3" }, { fd: NaN }];
  for (const handle of handles) {
    const socket = { _handle: handle } as unknown as Socket;
    assert.throws(() => socketFd(socket), (error) => BrokerError.is(error) && error.code === "unsupported");
  }
});

test("a socket that was destroyed has no descriptor any more", async () => {
  const [near, far] = socketPair();
  const socket = adoptSocketFd(near);
  socketFd(socket);
  socket.destroy();
  assert.throws(() => socketFd(socket), /Cannot find the file descriptor of a socket/);
  await new Promise((resolve) => socket.once("close", resolve));
  assert.equal(native.sockets.closeFd(far).ok, true);
});

test("an adopted descriptor is the socket's to close", async () => {
  const [near, far] = socketPair();
  const socket = adoptSocketFd(near);
  socket.destroy();
  await new Promise((resolve) => socket.once("close", resolve));
  assert.deepEqual(native.sockets.receiveBytes(far, 1), { kind: "eof" });
  assert.equal(native.sockets.closeFd(far).ok, true);
});
