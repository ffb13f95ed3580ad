import assert from "node:assert/strict";
import test from "node:test";
import { OpenConnections } from "../../src/backend/open_connections.ts";
import { turns } from "../support/waiting.ts";
import { FakeStream } from "../transport/fake_stream.ts";

function start() {
  const counts: number[] = [];
  return { counts, open: new OpenConnections((count) => counts.push(count)) };
}

test("a connection counts from being added to being gone, and each change is told", async () => {
  const { open, counts } = start();
  const [one, two] = [new FakeStream(), new FakeStream()];
  open.add(one);
  open.add(two);
  assert.equal(open.count(), 2);
  one.close();
  await turns();
  two.close();
  await turns();
  assert.deepEqual(counts, [1, 2, 1, 0]);
});

test("the connection that asks is left out, and one that is not counted changes nothing", () => {
  const { open } = start();
  const [one, two] = [new FakeStream(), new FakeStream()];
  open.add(one);
  assert.equal(open.count(one), 0);
  assert.equal(open.count(two), 1);
});

test("a handoff counts until it is over, which counts once", () => {
  const { open, counts } = start();
  const [first, second] = [open.beginHandoff(), open.beginHandoff()];
  assert.equal(open.count(), 2);
  first();
  first();
  assert.equal(open.count(), 1);
  second();
  assert.deepEqual(counts, [1, 2, 1, 0]);
});

test("untilEmpty() settles when the last connection and the last handoff are gone", async () => {
  const { open } = start();
  await open.untilEmpty();
  const stream = new FakeStream();
  open.add(stream);
  const over = open.beginHandoff();
  let isEmpty = false;
  void open.untilEmpty().then(() => isEmpty = true);
  stream.close();
  await turns();
  assert.equal(isEmpty, false);
  over();
  await turns();
  assert.equal(isEmpty, true);
});
