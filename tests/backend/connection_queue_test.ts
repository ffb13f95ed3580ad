import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Closable,
  ConnectionQueue,
  WAITING_CONNECTIONS_MAX,
} from "../../src/backend/connection_queue.ts";

class Connection implements Closable {
  closed = 0;
  readonly number: number;

  constructor(number = 0) {
    this.number = number;
  }

  close(): void {
    this.closed++;
  }
}

test("connections come out in order, whoever waits first", async () => {
  const queue = new ConnectionQueue<Connection>();
  const [early, alsoEarly] = [queue.next(), queue.next()];
  for (let i = 0; i < 4; i++) queue.push(new Connection(i));
  const seen = [await early, await alsoEarly, await queue.next(), await queue.next()];
  assert.deepEqual(seen.map(({ value }) => value?.number), [0, 1, 2, 3]);
  assert.ok(seen.every(({ done, value }) => done === false && value?.closed === 0));
});

test("beyond the bound a connection is closed and counted, and there is room again once one was taken", async () => {
  const queue = new ConnectionQueue<Connection>();
  const all = Array.from({ length: WAITING_CONNECTIONS_MAX + 2 }, (_, i) => new Connection(i));
  for (const connection of all) queue.push(connection);
  assert.equal(queue.dropped, 2);
  assert.deepEqual(all.slice(-3).map(({ closed }) => closed), [0, 1, 1]);
  assert.equal((await queue.next()).value?.number, 0);
  const late = new Connection(7);
  queue.push(late);
  assert.deepEqual([queue.dropped, late.closed], [2, 0]);
});

test("the end closes what waits, ends every wait, and stays", async () => {
  const waiting = new ConnectionQueue<Connection>();
  const [first, second] = [waiting.next(), waiting.next()];
  waiting.end();
  assert.deepEqual([await first, await second], Array(2).fill({ value: undefined, done: true }));

  const full = new ConnectionQueue<Connection>();
  const left = [new Connection(), new Connection()];
  for (const connection of left) full.push(connection);
  full.end();
  full.end();
  assert.deepEqual(left.map(({ closed }) => closed), [1, 1]);
  assert.deepEqual(await full.next(), { value: undefined, done: true });
  assert.deepEqual(await full.next(), { value: undefined, done: true });
});

test("a connection that comes after the end is closed, and is none that was too many", () => {
  const queue = new ConnectionQueue<Connection>();
  queue.end();
  const late = new Connection();
  queue.push(late);
  assert.deepEqual([late.closed, queue.dropped], [1, 0]);
});
