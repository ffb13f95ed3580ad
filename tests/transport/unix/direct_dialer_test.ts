import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { runtime } from "../../../src/transport/runtime.ts";
import type { LocalStream } from "../../../src/transport/local_stream.ts";
import { DirectDialer } from "../../../src/transport/unix/direct_dialer.ts";
import { LateStream } from "../../../src/transport/unix/late_stream.ts";
import { unixTransport } from "../../../src/transport/unix/unix_transport.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { deferred, WAIT } from "../../support/waiting.ts";
import { native, pattern, readBytes } from "../_transport.ts";

const ON_LINUX = { skip: process.platform !== "linux" && "only Linux is dialled this way" };

async function listening() {
  const dir = await makeTempDir();
  const transport = unixTransport({ ok: true, native });
  const accepted: LocalStream[] = [];
  let arrived = deferred<LocalStream>();
  const listener = await transport.listen(dir.join("s.sock"), {}, (stream) => {
    accepted.push(stream);
    arrived.resolve(stream);
  });
  return {
    transport,
    endpoint: listener.endpoint,
    async next() {
      const stream = await arrived.promise;
      arrived = deferred<LocalStream>();
      return stream;
    },
    async [Symbol.asyncDispose]() {
      for (const stream of accepted) stream.close();
      await listener.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

describe("a connection of the transport", ON_LINUX, () => {
  test("is dialled directly, in Deno once its permissions allow the endpoint", async () => {
    await using host = await listening();
    const first = await host.transport.connect(host.endpoint, WAIT);
    assert.equal(first instanceof LateStream, runtime !== "deno");
    const second = await host.transport.connect(host.endpoint, WAIT);
    assert.ok(second instanceof LateStream, "dialled");
    first.close();
    second.close();
  });

  test("has what was written at its peer before that looks", async () => {
    await using host = await listening();
    (await host.transport.connect(host.endpoint, WAIT)).close();
    await host.next();
    const stream = await host.transport.connect(host.endpoint, WAIT);
    let isWritten = false;
    const written = stream.write(pattern(100)).then(() => isWritten = true);
    // No turn of the event loop: only what is settled already is seen.
    await Promise.resolve();
    assert.ok(isWritten, "the kernel has it");
    await written;
    const peer = await host.next();
    assert.deepEqual(await readBytes(peer, 100), pattern(100));
    await peer.write(pattern(9));
    assert.deepEqual(await readBytes(stream, 9), pattern(9));
    stream.close();
  });

  test("that is drainable stops receiving before and behind its first read", async () => {
    await using host = await listening();
    (await host.transport.connect(host.endpoint, WAIT)).close();
    await host.next();
    for (const isRead of [false, true]) {
      const stream = await host.transport.connectDrainable(host.endpoint, WAIT);
      const peer = await host.next();
      await peer.write(pattern(5));
      if (isRead) assert.deepEqual(await readBytes(stream, 5), pattern(5));
      assert.ok(stream.stopReceiving(), "stopped");
      await assert.rejects(peer.write(pattern(5)), /EPIPE|closed|Broken pipe/);
      if (!isRead) assert.deepEqual(await readBytes(stream, 5), pattern(5));
      assert.equal(await stream.read(), null);
      stream.close();
      assert.equal(stream.stopReceiving(), false);
    }
  });

  test("leaves no descriptor, read from or not", async () => {
    await using host = await listening();
    (await host.transport.connect(host.endpoint, WAIT)).close();
    (await host.next()).close();
    const before = await settledFdCount();
    for (let i = 0; i < 50; i++) {
      const stream = await host.transport.connect(host.endpoint, WAIT);
      if (i % 2 === 0) void stream.read().catch(() => {});
      stream.close();
      stream.close();
      await stream.closed;
      (await host.next()).close();
    }
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  });
});

describe("DirectDialer", ON_LINUX, () => {
  test("leaves to the runtime what cannot be connected at once", async () => {
    await using dir = await makeTempDir();
    const dialer = new DirectDialer(native);
    dialer.allow(dir.join("none"));
    assert.equal(dialer.dial(dir.join("none"), WAIT), undefined);
  });

  test("does nothing once its signal has fired", async () => {
    await using host = await listening();
    const dialer = new DirectDialer(native);
    dialer.allow(host.endpoint);
    const reason = new Error("not any more");
    const wait = { ...WAIT, signal: AbortSignal.abort(reason) };
    assert.throws(() => dialer.dial(host.endpoint, wait), (error) => error === reason);
  });

  test(
    "forgets what the runtime allowed once that is a lot",
    { skip: runtime !== "deno" && "asks nobody" },
    async () => {
      await using host = await listening();
      const dialer = new DirectDialer(native);
      dialer.allow(host.endpoint);
      dialer.dial(host.endpoint, WAIT)!.close();
      for (let i = 0; i < 64; i++) dialer.allow(`/other-${i}`);
      assert.equal(dialer.dial(host.endpoint, WAIT), undefined);
    },
  );
});
