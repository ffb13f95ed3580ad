import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NetStream } from "../../../src/transport/net_stream.ts";
import { adoptSocketFd } from "../../../src/transport/socket_fd.ts";
import { within } from "../../support/waiting.ts";
import { native, pattern, readAll, readBytes } from "../_transport.ts";
import { GREETING, NOTHING, open } from "./_late_stream.ts";

describe("a direction that ended", () => {
  test("of the peer: all there is is read without the runtime, and both ends close the connection", async () => {
    const { stream, client, send, arrived, isDirect } = open(pattern(3), undefined, native, true);
    send(pattern(5, 3));
    native.sockets.shutdownWriting(client);
    assert.deepEqual(await readAll(stream), pattern(8));
    assert.equal(await stream.read(), null);
    await stream.write(pattern(4));
    assert.deepEqual(arrived(), pattern(4));
    assert.ok(isDirect(), "the runtime has not got it");
    await stream.closeWrite();
    await within("the end", stream.closed);
    assert.equal(arrived(), "eof");
    assert.equal(stream.fd, undefined);
    native.sockets.closeFd(client);
  });

  test("of the peer: what was only said to be all is waited for by the runtime", async () => {
    const { stream, send, end, isDirect } = open(NOTHING, undefined, native, true);
    const reading = readBytes(stream, 2);
    assert.equal(isDirect(), false);
    send(pattern(2));
    assert.deepEqual(await within("the bytes", reading), pattern(2));
    end();
  });

  test("of our own: its peer reads the greeting, what was written and the end; the rest is read", async () => {
    const { stream, client, send, arrived, isDirect } = open(NOTHING, GREETING);
    await stream.closeWrite();
    await stream.closeWrite();
    assert.deepEqual(arrived(), GREETING);
    assert.equal(arrived(), "eof");
    assert.ok(isDirect(), "the runtime has not got it");
    await assert.rejects(stream.write(pattern(1)), { code: "closed" });
    send(pattern(7));
    assert.deepEqual(await readBytes(stream, 7), pattern(7));
    await assert.rejects(stream.write(pattern(1)), { code: "closed" });
    await stream.closeWrite();
    native.sockets.closeFd(client);
    assert.equal(await stream.read(), null);
    await within("the end", stream.closed);
  });

  test("of our own, behind more than the kernel takes at once", async () => {
    const { stream, client } = open();
    const reader = new NetStream(adoptSocketFd(client));
    const writing = stream.write(pattern(1_000_000));
    const ending = stream.closeWrite();
    assert.deepEqual(await within("all of it", readAll(reader)), pattern(1_000_000));
    await within("both", Promise.all([writing, ending]));
    reader.close();
    stream.close();
  });

  test("of our own, on a connection that is closed, is nothing; one that cannot be ended says so", async () => {
    const { stream, client } = open();
    stream.close();
    await stream.closeWrite();
    native.sockets.closeFd(client);
    const refusing = {
      ...native,
      sockets: { ...native.sockets, shutdownWriting: () => ({ ok: false, errno: 5, name: "EIO" } as const) },
    };
    const failing = open(NOTHING, undefined, refusing);
    await assert.rejects(failing.stream.closeWrite(), { code: "os", message: "[os] Cannot end: EIO" });
    failing.end();
  });
});
