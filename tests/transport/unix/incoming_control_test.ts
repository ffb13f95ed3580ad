import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { ReceiveResult } from "../../../ffi/fd_passing.ts";
import { BrokerError } from "../../../src/errors.ts";
import type { LocalListener } from "../../../src/transport/local_stream.ts";
import { adoptSocketFd } from "../../../src/transport/socket_fd.ts";
import type { ControlConnection, ControlReceipt, IncomingControl } from "../../../src/transport/transport.ts";
import { UnixDetachedConnection } from "../../../src/transport/unix/detached_connection.ts";
import { ownedEnd } from "../../../src/transport/unix/detached_end.ts";
import { UnixIncomingControl } from "../../../src/transport/unix/incoming_control.ts";
import { sendManyFds } from "../../ffi/native_fixture.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { deferred, turns, WAIT, within } from "../../support/waiting.ts";
import { native, pattern, readBytes, socketPair, transport } from "../_transport.ts";

const isLinux = process.platform === "linux";

/** A control connection over a socket pair, and the descriptor of its other end. */
function open(): { control: UnixIncomingControl; broker: number; close(): void } {
  const [near, far] = socketPair();
  const control = new UnixIncomingControl(native, adoptSocketFd(near).pause());
  return { control, broker: far, close: () => (control.close(), void native.sockets.closeFd(far)) };
}

/** A control connection as both sides get it from the transport. */
async function dial(): Promise<AsyncDisposable & { control: IncomingControl; broker: ControlConnection }> {
  const dir = await makeTempDir();
  const arrival = deferred<IncomingControl>();
  const listener: LocalListener = await transport.listenControl(dir.join("h.sock"), {}, arrival.resolve);
  const broker = await transport.dialControl(listener.endpoint, WAIT);
  const control = await within("the control connection", arrival.promise);
  return {
    control,
    broker,
    async [Symbol.asyncDispose]() {
      broker.close();
      control.close();
      await listener.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function connections(receipt: ControlReceipt) {
  assert.ok(receipt.kind === "received", JSON.stringify(receipt));
  return receipt.connections;
}

test("a receive takes no more bytes than it asks for, and what is there when it is less", async () => {
  await using pair = await dial();
  await pair.broker.write(pattern(20));
  assert.deepEqual(await pair.control.receive(16, WAIT), {
    kind: "received",
    bytes: pattern(16),
    connections: [],
  });
  assert.deepEqual(await pair.control.receive(100, WAIT), {
    kind: "received",
    bytes: pattern(4, 16),
    connections: [],
  });
  const waiting = pair.control.receive(16, WAIT);
  await pair.broker.write(pattern(3));
  assert.deepEqual(await waiting, { kind: "received", bytes: pattern(3), connections: [] });
});

test("a passed connection is received, however late it comes, and works", async () => {
  await using pair = await dial();
  for (const waits of [0, 1, 8]) {
    const [near, far] = socketPair();
    const receiving = pair.control.receive(16, WAIT);
    await turns(waits);
    const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(near)));
    assert.deepEqual(pair.broker.pass(connection, pattern(16), () => pattern(40)), { ok: true });
    connection.close();
    const receipt = await receiving;
    assert.ok(receipt.kind === "received");
    assert.deepEqual(receipt.bytes, pattern(16));
    assert.deepEqual((await pair.control.receive(40, WAIT) as { bytes: Uint8Array }).bytes, pattern(40));
    const [passed, ...others] = connections(receipt);
    assert.equal(others.length, 0);
    const stream = passed!.adopt();
    await stream.write(pattern(30));
    assert.deepEqual(native.sockets.receiveBytes(far, 100), { kind: "data", bytes: pattern(30) });
    assert.equal(native.sockets.sendBytes(far, pattern(8)).kind, "sent");
    assert.deepEqual(await readBytes(stream, 8), pattern(8));
    stream.close();
    native.sockets.closeFd(far);
  }
});

test("its socket is never resumed: what is not asked for stays in the kernel, descriptors with it", async () => {
  await using pair = await dial();
  const [near, far] = socketPair();
  const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(near)));
  assert.deepEqual(pair.broker.pass(connection, pattern(16), () => pattern(5)), { ok: true });
  connection.close();
  await turns(10);
  const first = await pair.control.receive(7, WAIT);
  const [passed] = connections(first);
  assert.ok(passed !== undefined, "the connection comes with the first byte of its message");
  await turns(10);
  const rest = await pair.control.receive(100, WAIT);
  assert.ok(rest.kind === "received");
  assert.deepEqual(rest.bytes.subarray(0, 9), pattern(9, 7));
  passed.close();
  native.sockets.closeFd(far);
});

test("surplus connections are seen, so that whoever receives them can close them", {
  skip: !isLinux && "reads /proc",
}, async () => {
  const before = await settledFdCount();
  const { control, broker, close } = open();
  const [near, far] = socketPair();
  sendManyFds(broker, pattern(16), [near, far, near]);
  const passed = connections(await control.receive(16, WAIT));
  assert.equal(passed.length, 3);
  for (const connection of passed) connection.close();
  for (const fd of [near, far]) native.sockets.closeFd(fd);
  close();
  assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});

test(
  "more connections than one offer can have are refused and closed",
  { skip: !isLinux && "reads /proc" },
  async () => {
    const before = await settledFdCount();
    const { control, broker, close } = open();
    const [near, far] = socketPair();
    sendManyFds(broker, pattern(16), Array.from({ length: 17 }, () => near));
    const receipt = await control.receive(16, WAIT);
    assert.ok(receipt.kind === "violation");
    assert.match(receipt.reason, /17.*16/);
    for (const fd of [near, far]) native.sockets.closeFd(fd);
    close();
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  },
);

test("a broker that leaves is an end, and so is our own closing", async () => {
  const gone = await dial();
  const waiting = gone.control.receive(16, WAIT);
  gone.broker.close();
  assert.deepEqual(await within("the end", waiting), { kind: "eof" });
  await gone[Symbol.asyncDispose]();

  const closed = await dial();
  const receiving = closed.control.receive(16, WAIT);
  await turns(1);
  closed.control.close();
  closed.control.close();
  assert.deepEqual(await within("the end", receiving), { kind: "eof" });
  assert.deepEqual(await closed.control.receive(16, WAIT), { kind: "eof" });
  await closed[Symbol.asyncDispose]();
});

test("a broker that sends nothing is waited for until the deadline, or until the backend stops", async () => {
  await using pair = await dial();
  const late = pair.control.receive(16, { deadlineMs: 15 });
  await assert.rejects(late, (error) => BrokerError.is(error) && error.code === "deadline");
  const controller = new AbortController();
  const stopped = pair.control.receive(16, { ...WAIT, signal: controller.signal });
  await turns(8);
  controller.abort(new Error("the backend stops"));
  await assert.rejects(within("the abort", stopped), /the backend stops/);
  await pair.broker.write(pattern(2));
  assert.equal((await pair.control.receive(16, WAIT)).kind, "received");
});

test("sendNow() reaches the broker, and fails once the connection is gone", async () => {
  await using pair = await dial();
  assert.deepEqual(pair.control.sendNow(pattern(30)), { ok: true });
  assert.deepEqual(await readBytes(pair.broker, 30), pattern(30));
  pair.broker.close();
  await pair.broker.closed;
  assert.deepEqual(pair.control.sendNow(pattern(3)), { ok: false, detail: "send returned EPIPE" });
  pair.control.close();
  const detail = "the control connection is closed";
  assert.deepEqual(pair.control.sendNow(pattern(3)), { ok: false, detail });
});

test("the broker's process is known by the kernel's word", async () => {
  await using pair = await dial();
  assert.equal(pair.control.peer?.uid, process.geteuid?.());
  if (isLinux) assert.equal(pair.control.peer?.pid, process.pid);
});

test("what the kernel refuses is a violation, with its word for it", async () => {
  const failing = (result: ReceiveResult) => {
    const [near, far] = socketPair();
    const fdPassing = { ...native.fdPassing, receive: () => result };
    const control = new UnixIncomingControl({ ...native, fdPassing }, adoptSocketFd(near).pause());
    return { control, close: () => (control.close(), void native.sockets.closeFd(far)) };
  };
  const reset = failing({ kind: "error", errno: 104, name: "ECONNRESET" });
  const refused = { kind: "violation", reason: "recvmsg returned ECONNRESET" };
  assert.deepEqual(await reset.control.receive(16, WAIT), refused);
  reset.close();
  const cut = failing({
    kind: "violation",
    reason: "MSG_CTRUNC",
    bytes: pattern(3) as Uint8Array<ArrayBuffer>,
  });
  assert.deepEqual(await cut.control.receive(16, WAIT), { kind: "violation", reason: "MSG_CTRUNC" });
  cut.close();
});

test("a peer that cannot be identified is unknown", () => {
  const [near, far] = socketPair();
  const silent = {
    ...native,
    peerCredentials: () => ({ ok: false, errno: 1, name: "EPERM" } as const),
  };
  const control = new UnixIncomingControl(silent, adoptSocketFd(near).pause());
  assert.equal(control.peer, undefined);
  control.close();
  native.sockets.closeFd(far);
});
