import assert from "node:assert/strict";
import { openSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Native } from "../../../ffi/native.ts";
import type { SendResult } from "../../../ffi/socket_calls.ts";
import { NetStream } from "../../../src/transport/net_stream.ts";
import { adoptSocketFd } from "../../../src/transport/socket_fd.ts";
import { LateStream } from "../../../src/transport/unix/late_stream.ts";
import { BrokerError } from "../../../src/errors.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { until, within } from "../../support/waiting.ts";
import { GREETING, NOTHING, open } from "./_late_stream.ts";
import { native, pattern, readAll, readBytes } from "../_transport.ts";

/** Native calls of which the sends come out as written down, then as they are. */
function scriptedSends(...script: SendResult[]): Native {
  const { sockets } = native;
  const sendBytes = (fd: number, bytes: Uint8Array): SendResult => {
    const next = script.shift();
    if (next?.kind === "sent") return sockets.sendBytes(fd, bytes.subarray(0, next.bytesSent));
    return next ?? sockets.sendBytes(fd, bytes);
  };
  return { ...native, sockets: { ...sockets, sendBytes } };
}

describe("what is read", () => {
  test("begins with what was read before, then comes from the kernel", async () => {
    const { stream, send, end } = open(pattern(9));
    send(pattern(50, 9));
    assert.deepEqual(await readBytes(stream, 59), pattern(59));
    end();
  });

  test("comes in the order of unread(), before and behind the runtime's part", async () => {
    const { stream, send, end } = open(pattern(3, 2));
    stream.unread(pattern(1, 1));
    stream.unread(pattern(1));
    stream.unread(NOTHING);
    send(pattern(4, 5));
    assert.deepEqual(await readBytes(stream, 7), pattern(7));
    stream.unread(pattern(2, 5));
    assert.deepEqual(await readBytes(stream, 4), pattern(4, 5));
    end();
  });

  test("is not lost when the runtime takes the connection over for a write, or for its end, first", async () => {
    for (const first of ["write", "end"] as const) {
      const { stream, client, send } = open(pattern(5, 2), undefined, scriptedSends({ kind: "again" }));
      stream.unread(pattern(2));
      send(pattern(3, 7));
      const reader = new NetStream(adoptSocketFd(client));
      if (first === "write") await Promise.all([stream.write(pattern(4)), readBytes(reader, 4)]);
      else await stream.closeWrite();
      assert.deepEqual(await readBytes(stream, 10), pattern(10), first);
      reader.close();
      stream.close();
    }
  });

  test("ends behind everything the client sent, also when nothing was written ever", async () => {
    const { stream, client, send } = open(pattern(3));
    send(pattern(5, 3));
    native.sockets.closeFd(client);
    assert.deepEqual(await readAll(stream), pattern(8));
    stream.close();
    await within("the end", stream.closed);
  });

  test("is not waited for once the signal has fired", async () => {
    const { stream, end } = open(pattern(3));
    await assert.rejects(stream.read(AbortSignal.abort(new Error("enough"))), /^Error: enough$/);
    const controller = new AbortController();
    assert.deepEqual(await stream.read(), pattern(3));
    const waiting = stream.read(controller.signal);
    controller.abort(new Error("enough of it"));
    await assert.rejects(waiting, /^Error: enough of it$/);
    end();
  });
});

describe("what is written", () => {
  test("is with the client when write() returns, and a reader in between changes nothing", async () => {
    const { stream, send, arrived, end } = open();
    void stream.write(pattern(10));
    assert.deepEqual(arrived(), pattern(10));
    send(pattern(1));
    await readBytes(stream, 1);
    await stream.write(pattern(6, 10));
    assert.deepEqual(arrived(), pattern(6, 10));
    end();
  });

  test("arrives whole and in order when it is more than the kernel takes at once", async () => {
    const { stream, client, end } = open();
    const reader = new NetStream(adoptSocketFd(client));
    const [first, second] = [pattern(1_000_000), pattern(1_000, 1_000_000)];
    const writing = Promise.all([stream.write(first), stream.write(second)]);
    assert.deepEqual(await readBytes(reader, 1_001_000), pattern(1_001_000));
    await within("both writes", writing);
    reader.close();
    stream.close();
    void end;
  });

  test("goes on in the runtime where the kernel stopped: after a part, or after nothing", async () => {
    for (const first of [{ kind: "sent", bytesSent: 4 }, { kind: "again" }] as const) {
      const { stream, client } = open(NOTHING, undefined, scriptedSends(first));
      const writing = stream.write(pattern(30));
      const reader = new NetStream(adoptSocketFd(client));
      assert.deepEqual(await readBytes(reader, 30), pattern(30));
      await writing;
      reader.close();
      stream.close();
    }
  });

  test("to a client that has gone fails as closed, and what it sent can still be read", async () => {
    const { stream, client, send } = open();
    send(pattern(7));
    native.sockets.closeFd(client);
    const error = await stream.write(pattern(1)).then(() => undefined, (seen: unknown) => seen);
    assert.ok(BrokerError.is(error) && error.code === "closed", String(error));
    assert.deepEqual(await readBytes(stream, 7), pattern(7));
    stream.close();
  });

  test("is refused behind close(), and reading ends", async () => {
    const { stream, client } = open(pattern(3));
    stream.close();
    await assert.rejects(stream.write(pattern(1)), { code: "closed" });
    assert.equal(await stream.read(), null);
    await stream.closeWrite();
    native.sockets.closeFd(client);
  });

  test("ends with closeWrite(), and the other direction goes on", async () => {
    const { stream, client, send, arrived } = open();
    await stream.write(pattern(3));
    await stream.closeWrite();
    assert.deepEqual(arrived(), pattern(3));
    await until("the end at the client", () => arrived() === "eof");
    send(pattern(4));
    assert.deepEqual(await readBytes(stream, 4), pattern(4));
    stream.close();
    native.sockets.closeFd(client);
  });
});

describe("a greeting", () => {
  test("leaves with the first write, in one piece and once", async () => {
    const { stream, arrived, end } = open(NOTHING, GREETING);
    assert.equal(arrived(), "nothing");
    await stream.write(pattern(5));
    assert.deepEqual(arrived(), Uint8Array.from([...GREETING, ...pattern(5)]));
    await turn();
    await stream.write(pattern(2));
    assert.deepEqual(arrived(), pattern(2));
    end();
  });

  test("leaves alone in the next turn when nothing is written, and once", async () => {
    const { stream, arrived, end } = open(NOTHING, GREETING);
    await until("the greeting", () => {
      const seen = arrived();
      if (seen === "nothing") return false;
      assert.deepEqual(seen, GREETING);
      return true;
    });
    await stream.write(pattern(2));
    assert.deepEqual(arrived(), pattern(2));
    end();
  });

  test("leaves before the runtime has the connection: read, closeWrite, or the rest of a write", async () => {
    const read = open(NOTHING, GREETING);
    const reading = read.stream.read();
    assert.deepEqual(read.arrived(), GREETING);
    read.send(pattern(1));
    assert.deepEqual(await reading, pattern(1));
    read.end();

    const ended = open(NOTHING, GREETING);
    await ended.stream.closeWrite();
    assert.deepEqual(ended.arrived(), GREETING);
    await until("the end", () => ended.arrived() === "eof");
    ended.end();

    const cut = open(NOTHING, GREETING, scriptedSends({ kind: "sent", bytesSent: 7 }));
    const writing = cut.stream.write(pattern(9));
    const client = new NetStream(adoptSocketFd(cut.client));
    assert.deepEqual(await readBytes(client, 29), Uint8Array.from([...GREETING, ...pattern(9)]));
    await writing;
    client.close();
    cut.stream.close();
  });

  test("stays away when the stream is closed at once: its client is to ask again", () => {
    const { stream, client, arrived } = open(pattern(4), GREETING);
    stream.close();
    assert.equal(arrived(), "eof");
    native.sockets.closeFd(client);
  });

  test("to a client that has gone is no error by itself", async () => {
    const { stream, client } = open(NOTHING, GREETING);
    native.sockets.closeFd(client);
    await turn();
    assert.equal(await stream.read().catch(() => null), null);
    stream.close();
  });
});

describe("descriptors", { skip: process.platform !== "linux" && "reads /proc" }, () => {
  test("are closed once, whether or not the runtime ever had them", async () => {
    const before = await settledFdCount();
    for (let round = 0; round < 20; round++) {
      const never = open(pattern(3), GREETING);
      never.stream.close();
      never.stream.close();
      native.sockets.closeFd(never.client);
      await within("the end", never.stream.closed);
      const taken = open();
      taken.send(pattern(1));
      await readBytes(taken.stream, 1);
      taken.stream.close();
      taken.stream.close();
      native.sockets.closeFd(taken.client);
      await within("the end", taken.stream.closed);
    }
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  });

  test("a descriptor that the runtime does not take is closed, and its reader told", async () => {
    const before = await settledFdCount();
    const stream = new LateStream(native, native.ownFd(openSync("/dev/null", "r")));
    await assert.rejects(stream.read(), Error);
    await within("the end", stream.closed);
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  });
});
