import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { osErrorCode } from "../../src/transport/os_error.ts";
import { connectSocket } from "../../src/transport/connect_net.ts";
import type { WaitOptions } from "../../src/transport/wait_options.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { WAIT } from "../support/waiting.ts";
import { transport } from "./_transport.ts";

/** Each way to connect; all of them fail in the same words. */
const WAYS: Readonly<Record<string, (path: string, wait: WaitOptions) => Promise<{ close(): void }>>> = {
  connectSocket: async (path, wait) => {
    const socket = await connectSocket(path, wait);
    return { close: () => void socket.destroy() };
  },
  "transport.connect": (path, wait) => transport.connect(path, wait),
  "transport.connectWithPeer": async (path, wait) => (await transport.connectWithPeer(path, wait)).stream,
  "transport.dialControl": (path, wait) => transport.dialControl(path, wait),
};

for (const [name, connect] of Object.entries(WAYS)) {
  test(`${name}() names the endpoint and what the system said`, async () => {
    await using dir = await makeTempDir();
    writeFileSync(dir.join("file"), "");
    for (const [path, code] of [[dir.join("none"), "ENOENT"], [dir.join("file"), "ECONNREFUSED"]] as const) {
      await assert.rejects(connect(path, WAIT), (error) => {
        assert.ok(BrokerError.is(error));
        assert.equal(error.message, `[os] Cannot connect to "${path}": ${code}`);
        assert.equal(osErrorCode(error.cause), code);
        return true;
      });
    }
  });

  test(`${name}() does nothing once its signal has fired`, async () => {
    await using dir = await makeTempDir();
    let accepted = 0;
    await using listener = await transport.listen(dir.join("s.sock"), {}, (stream) => {
      accepted++;
      stream.close();
    });
    const reason = new Error("not any more");
    const wait = { ...WAIT, signal: AbortSignal.abort(reason) };
    await assert.rejects(connect(listener.endpoint, wait), (error) => error === reason);
    (await connect(listener.endpoint, WAIT)).close();
    assert.ok(accepted <= 1, `${accepted} connections`);
  });

  test(`${name}() that is given up while it connects leaves no descriptor`, {
    skip: process.platform !== "linux" && "reads /proc",
  }, async () => {
    await using dir = await makeTempDir();
    await using listener = await transport.listen(dir.join("s.sock"), {}, (stream) => {
      void stream.read().then(() => stream.close(), () => stream.close());
    });
    (await connect(listener.endpoint, WAIT)).close();
    const before = await settledFdCount();
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController();
      const connecting = connect(listener.endpoint, { ...WAIT, signal: controller.signal });
      controller.abort(new Error("given up"));
      // What stood before it was given up is the caller's.
      await connecting.then((connected) => {
        assert.equal(name, "transport.connect");
        connected.close();
      }, (error) => assert.match(String(error), /given up/));
    }
    assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
  });
}
