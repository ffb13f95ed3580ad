import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { SendFdResult } from "../../../ffi/fd_passing.ts";
import type { Native } from "../../../ffi/native.ts";
import type { Done, SendResult } from "../../../ffi/socket_calls.ts";
import { adoptSocketFd } from "../../../src/transport/socket_fd.ts";
import type { DetachedConnection } from "../../../src/transport/transport.ts";
import { UnixControlConnection } from "../../../src/transport/unix/control_connection.ts";
import { UnixDetachedConnection } from "../../../src/transport/unix/detached_connection.ts";
import { ownedEnd } from "../../../src/transport/unix/detached_end.ts";
import { FakeClient } from "../../broker/fake_client.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { native, pattern, socketPair } from "../_transport.ts";

const TOKEN = pattern(16, 5);
const OFFER = pattern(60, 9);

interface Script {
  fd?: SendFdResult;
  offer?: SendResult;
  blocking?: Done;
}

/** Passes a connection over native calls whose outcome is written down, and tells which were made. */
function pass(script: Script) {
  const calls: string[] = [];
  const scripted: Native = {
    ...native,
    fdPassing: {
      ...native.fdPassing,
      sendFd(_socketFd, payload) {
        calls.push(`fd with ${payload.length}`);
        return script.fd ?? { ok: true };
      },
    },
    sockets: {
      ...native.sockets,
      makeBlocking() {
        calls.push("blocking");
        return script.blocking ?? { ok: true };
      },
      sendBytes(_fd, bytes) {
        calls.push(`bytes ${bytes.length}`);
        return script.offer ?? { kind: "sent", bytesSent: bytes.length };
      },
    },
  };
  const [near, far] = socketPair();
  const [mine, theirs] = socketPair();
  const control = new UnixControlConnection(scripted, adoptSocketFd(near));
  const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(mine)));
  const outcome = control.pass(connection, TOKEN, (handleValue) => {
    calls.push(`offer for ${handleValue}`);
    return OFFER;
  });
  const isOurs = connection.label !== "closed fd";
  control.close();
  connection.close();
  for (const fd of [far, theirs]) native.sockets.closeFd(fd);
  return { outcome, calls: calls.join(", "), isOurs };
}

const failedFd = (
  name: string,
  more: { bytesSent?: number; isBackpressure?: boolean } = {},
): SendFdResult => ({
  ok: false,
  errno: 1,
  name,
  bytesSent: 0,
  isBackpressure: false,
  ...more,
});

test("token and connection leave together, the offer directly behind; our copy stays ours", () => {
  const { outcome, calls, isOurs } = pass({});
  assert.deepEqual(outcome, { ok: true });
  assert.equal(calls, "blocking, fd with 16, offer for 0, bytes 60");
  assert.equal(isOurs, true);
});

test("each errno of sendmsg has the reference's kind, and no offer follows", () => {
  const kinds = {
    EACCES: "PermissionDenied",
    EPERM: "PermissionDenied",
    ECONNREFUSED: "BackendSocketUnavailable",
    ECONNRESET: "BackendSocketUnavailable",
    EPIPE: "BackendSocketUnavailable",
    ENOTCONN: "BackendSocketUnavailable",
    ETOOMANYREFS: "SendFailed",
    EBADF: "SendFailed",
  };
  for (const [name, kind] of Object.entries(kinds)) {
    const { outcome, calls } = pass({ fd: failedFd(name) });
    const detail = `sendmsg returned ${name}`;
    assert.deepEqual(outcome, { ok: false, kind, detail, reachedBackend: false });
    assert.equal(calls, "blocking, fd with 16");
  }
});

test("a full control connection would block, whatever the errno is called", () => {
  for (const name of ["EAGAIN", "ENOBUFS", "EPIPE"]) {
    const { outcome } = pass({ fd: failedFd(name, { isBackpressure: true }) });
    assert.ok(!outcome.ok);
    assert.deepEqual([outcome.kind, outcome.reachedBackend], ["WouldBlock", false]);
  }
});

test("a token of which a part left may have carried the connection", () => {
  const { outcome, calls } = pass({ fd: failedFd("short send", { bytesSent: 3 }) });
  const detail = "sendmsg returned short send";
  assert.deepEqual(outcome, { ok: false, kind: "SendFailed", detail, reachedBackend: true });
  assert.equal(calls, "blocking, fd with 16");
});

test("an offer that does not leave whole has let the connection go", () => {
  const offers: [SendResult, string][] = [
    [{ kind: "sent", bytesSent: 59 }, "offer not sent: the socket took 59 of 60 bytes"],
    [{ kind: "again" }, "offer not sent: the socket's buffer is full"],
    [{ kind: "error", errno: 32, name: "EPIPE" }, "offer not sent: send returned EPIPE"],
  ];
  for (const [offer, detail] of offers) {
    const { outcome } = pass({ offer });
    assert.deepEqual(outcome, { ok: false, kind: "SendFailed", detail, reachedBackend: true });
  }
});

test("a connection that cannot be made blocking is not passed", () => {
  const { outcome, calls } = pass({ blocking: { ok: false, errno: 9, name: "EBADF" } });
  const detail = "fcntl returned EBADF";
  assert.deepEqual(outcome, { ok: false, kind: "SendFailed", detail, reachedBackend: false });
  assert.equal(calls, "blocking");
});

test("a control connection that was closed passes nothing", () => {
  const [near, far] = socketPair();
  const [mine, theirs] = socketPair();
  const control = new UnixControlConnection(native, adoptSocketFd(near));
  const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(mine)));
  control.close();
  assert.deepEqual(control.pass(connection, TOKEN, () => OFFER), {
    ok: false,
    kind: "BackendSocketUnavailable",
    detail: "the control connection is closed",
    reachedBackend: false,
  });
  connection.close();
  for (const fd of [far, theirs]) native.sockets.closeFd(fd);
});

test("a connection of another transport is a mistake of the caller", () => {
  const [near, far] = socketPair();
  const control = new UnixControlConnection(native, adoptSocketFd(near));
  const foreign: DetachedConnection = new FakeClient(new Uint8Array(0), undefined);
  assert.throws(() => control.pass(foreign, TOKEN, () => OFFER), TypeError);
  control.close();
  native.sockets.closeFd(far);
});

test("over a real socket the receiver gets the token with the connection, then the offer", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const before = await settledFdCount();
  const [near, far] = socketPair();
  const [mine, theirs] = socketPair();
  const control = new UnixControlConnection(native, adoptSocketFd(near));
  const connection = new UnixDetachedConnection(native, ownedEnd(native.ownFd(mine)));
  assert.deepEqual(control.pass(connection, TOKEN, () => OFFER), { ok: true });
  connection.close();
  const token = native.fdPassing.receive(far, 16, { fdsMax: 1 });
  assert.ok(token.kind === "data");
  assert.deepEqual(token.bytes, TOKEN);
  assert.equal(token.fds.length, 1);
  assert.deepEqual(native.fdPassing.receive(far, 100, { fdsMax: 1 }), {
    kind: "data",
    bytes: OFFER,
    fds: [],
  });
  assert.deepEqual(native.sockets.sendBytes(theirs, pattern(4)), { kind: "sent", bytesSent: 4 });
  assert.deepEqual(native.sockets.receiveBytes(token.fds[0]!, 10), { kind: "data", bytes: pattern(4) });
  for (const fd of [far, theirs, token.fds[0]!]) native.sockets.closeFd(fd);
  control.close();
  assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});
