import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadline } from "../../../src/broker/limits/deadline.ts";
import { turns, within } from "../../support/waiting.ts";

/** Far beyond any test. */
const NEVER_MS = 600_000;

test("a deadline is reached, also when it is brought forward, and cannot be put off", async () => {
  const deadline = new Deadline();
  deadline.within(NEVER_MS);
  deadline.within(1);
  deadline.within(NEVER_MS);
  await within("the deadline", deadline.reached);
});

test("a deadline that is forgotten is not reached any more, and no new one is", async () => {
  const deadline = new Deadline();
  let isReached = false;
  void deadline.reached.then(() => isReached = true);
  deadline.within(NEVER_MS);
  deadline.clear();
  deadline.within(0);
  await turns();
  assert.equal(isReached, false);
});
