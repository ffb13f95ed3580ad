import assert from "node:assert/strict";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import test from "node:test";
import { removeDeadEndpoint } from "../../../src/broker/adoption/remove_dead_endpoint.ts";
import { leaveStaleSocket } from "../../faults/stale_socket.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { transport } from "../../transport/_transport.ts";

test("removeDeadEndpoint() removes a socket that nobody serves, and only that", async () => {
  await using dir = await makeTempDir();
  const live = dir.join("live.sock");
  await using _listener = await transport.listen(live, {}, (stream) => stream.close());
  assert.equal(await removeDeadEndpoint(live), false);
  writeFileSync(dir.join("file"), "");
  assert.equal(await removeDeadEndpoint(dir.join("file")), false);
  await leaveStaleSocket(dir.join("dead.sock"));
  assert.equal(await removeDeadEndpoint(dir.join("dead.sock")), true);
  assert.equal(await removeDeadEndpoint(dir.join("dead.sock")), true);
  assert.deepEqual(["live.sock", "file", "dead.sock"].map((name) => existsSync(dir.join(name))), [
    true,
    true,
    false,
  ]);
});

test("removeDeadEndpoint() leaves what it cannot find out about", async () => {
  await using dir = await makeTempDir();
  await leaveStaleSocket(dir.join("dead.sock"));
  // No address has room for this name, so that nobody can be asked.
  const path = dir.join(`${"x".repeat(200)}.sock`);
  renameSync(dir.join("dead.sock"), path);
  await removeDeadEndpoint(path);
  assert.equal(existsSync(path), true);
});
