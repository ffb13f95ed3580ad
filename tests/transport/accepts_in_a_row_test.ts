import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ACCEPTS_IN_A_ROW } from "../../src/transport/publish_socket.ts";
import { settledFdCount } from "../support/fd_count.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { until } from "../support/waiting.ts";
import { transport } from "./_transport.ts";

const CLIENTS = 10 * ACCEPTS_IN_A_ROW;
/** Deno itself lets so many in before it looks at anything else. */
const GROUP_MAX = 4 * ACCEPTS_IN_A_ROW;

/** Connects all at once: each connection stands as soon as the kernel has queued it. */
function connectAll(endpoint: string): net.Socket[] {
  return Array.from({ length: CLIENTS }, () => {
    const socket = net.connect({ path: endpoint });
    return socket.on("error", () => {/* the listener hangs up */});
  });
}

test("a crowd is let in in small groups, and everything else has its turn between them", async () => {
  await using dir = await makeTempDir();
  const before = await settledFdCount();
  let accepted = 0;
  const listener = await transport.listen(dir.join("s.sock"), {}, (stream) => {
    accepted++;
    stream.close();
  });
  const clients = connectAll(listener.endpoint);
  const groups: number[] = [];
  for (let seen = 0; seen < CLIENTS; seen = accepted) {
    await setImmediate();
    groups.push(accepted - seen);
  }
  for (const client of clients) client.destroy();
  await listener.close();
  assert.equal(accepted, CLIENTS);
  const largest = Math.max(...groups);
  assert.ok(largest <= GROUP_MAX, `${largest} in one turn`);
  assert.ok(await settledFdCount() <= before);
});

test("a listener that is closed in the middle of a crowd leaves nothing behind and cuts nobody off", async () => {
  await using dir = await makeTempDir();
  const before = await settledFdCount();
  let accepted = 0;
  const listener = await transport.listen(dir.join("t.sock"), {}, (stream) => {
    // In the very callback that ends a group: the descriptor is another socket's then.
    if (++accepted === ACCEPTS_IN_A_ROW) void closing();
    stream.close();
  });
  let closed: Promise<void> | undefined;
  const closing = () => closed = listener.close();
  const clients = connectAll(listener.endpoint);
  await until("the end of the listener", () => closed !== undefined);
  await closed;
  assert.equal(accepted, CLIENTS);
  for (const client of clients) client.destroy();
  assert.ok(await settledFdCount() <= before);
});
