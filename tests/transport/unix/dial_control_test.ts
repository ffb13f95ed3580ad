import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { BrokerError } from "../../../src/errors.ts";
import { loadTransport } from "../../../src/transport/load_transport.ts";
import { countFds, fdCountAtMost } from "../../support/fd_count.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const WAIT = { deadlineMs: 5_000 };

test("dialControl() takes a handoff endpoint that the verified process serves", async () => {
  await using dir = await makeTempDir();
  const transport = await loadTransport();
  await using listener = await transport.listenControl(dir.join("ho.sock"), {}, (control) => control.close());
  const control = await transport.dialControl(listener.endpoint, { ...WAIT, backendPid: process.pid });
  control.close();
});

test("dialControl() refuses a handoff endpoint that another process serves, and closes the connection", async () => {
  await using dir = await makeTempDir();
  const transport = await loadTransport();
  await using listener = await transport.listenControl(dir.join("ho.sock"), {}, (control) => control.close());
  const fds = countFds();
  const dial = transport.dialControl(listener.endpoint, { ...WAIT, backendPid: process.pid + 1 });
  await assert.rejects(dial, (error) => {
    assert.ok(BrokerError.is(error) && error.code === "peer-rejected");
    assert.match(
      error.message,
      new RegExp(`served by process ${process.pid}, the verified backend is process`),
    );
    return true;
  });
  assert.ok(await fdCountAtMost(process.pid, fds, WAIT.deadlineMs) <= fds, "descriptors");
});
