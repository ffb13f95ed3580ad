import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenConnections } from "../../../src/broker/limits/open_connections.ts";
import type { IncomingConnection } from "../../../src/transport/transport.ts";
import { type Deferred, deferred, turns, within } from "../../support/waiting.ts";

interface Client extends IncomingConnection {
  closings: number;
  readonly end: Deferred<void>;
  hasSpoken(): void;
}

function addClient(open: OpenConnections): Client {
  const client: Client = {
    peer: undefined,
    closings: 0,
    end: deferred<void>(),
    hasSpoken() {},
    firstFrame: () => Promise.reject(new Error("nobody reads it")),
    close() {
      this.closings++;
    },
  };
  open.add(client, (hasSpoken) => {
    client.hasSpoken = hasSpoken;
    return client.end.promise;
  });
  return client;
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => isDone = true);
  await turns();
  return isDone;
}

test("a client counts until its service has ended", async () => {
  const open = new OpenConnections();
  const [first, second] = [addClient(open), addClient(open)];
  assert.equal(open.size, 2);
  first.end.resolve();
  await turns();
  assert.equal(open.size, 1);
  const all = open.allEnd();
  assert.equal(await isSettled(all), false);
  second.end.resolve();
  await within("the end of all", all);
  assert.equal(open.size, 0);
});

test("who has spoken is waited for; silent ones, and those who speak later, are not", async () => {
  const open = new OpenConnections();
  const [speaking, silent] = [addClient(open), addClient(open)];
  speaking.hasSpoken();
  const spoken = open.spokenEnd();
  silent.hasSpoken();
  assert.equal(await isSettled(spoken), false);
  speaking.end.resolve();
  await within("the end of who has spoken", spoken);
  silent.end.resolve();
});

test("the oldest of the silent ones is closed, one at a time", async () => {
  const open = new OpenConnections();
  const [spoken, first, second, ended] = [1, 2, 3, 4].map(() => addClient(open));
  spoken!.hasSpoken();
  ended!.end.resolve();
  await turns();
  assert.deepEqual([1, 2, 3].map(() => open.closeOldestSilent()), [true, true, false]);
  assert.deepEqual([spoken, first, second, ended].map((one) => one!.closings), [0, 1, 1, 0]);
});
