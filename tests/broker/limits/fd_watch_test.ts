import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { FdWatch } from "../../../src/broker/limits/fd_watch.ts";
import type { DescriptorReserve, DescriptorRoom } from "../../../src/transport/transport.ts";
import { until } from "../../support/waiting.ts";

/** Descriptors of a process, of which so many are free besides the reserve. */
class FakeReserve implements DescriptorReserve {
  isWhole = true;
  isClosed = false;
  free = 100;
  readonly #count = 8;

  glance(): DescriptorRoom {
    return this.free <= 0 ? "none" : "enough";
  }

  count(): DescriptorRoom {
    if (this.free <= 0) return "none";
    return this.free <= (this.isWhole ? this.#count : 2 * this.#count) ? "short" : "enough";
  }

  usedRatio(): number {
    return 0.25;
  }

  release(): void {
    if (this.isWhole) this.free += this.#count;
    this.isWhole = false;
  }

  refill(): boolean {
    if (!this.isWhole && this.count() === "enough") {
      this.free -= this.#count;
      this.isWhole = true;
    }
    return this.isWhole;
  }

  close(): void {
    this.isClosed = true;
  }
}

function setUp() {
  const reserve = new FakeReserve();
  const events: BrokerEvent[] = [];
  const seen = { shed: 0, again: 0, isWaiting: false };
  const watch = new FdWatch({
    reserve,
    observe: (event) => void events.push(event),
    shed: () => ++seen.shed > 0,
  });
  const listener = {
    hasWaiting: () => seen.isWaiting,
    acceptAgain: () => Promise.resolve(void seen.again++),
  };
  return { reserve, events, seen, watch, listener };
}

test("an accept that takes the last descriptor demotes the broker and frees the reserve", () => {
  const { reserve, events, watch } = setUp();
  watch.accepted();
  assert.deepEqual([watch.isPressed, watch.guard.isDemoted, watch.usedRatio], [false, false, 0.25]);
  reserve.free = 0;
  watch.accepted();
  assert.deepEqual([watch.isPressed, watch.guard.isDemoted], [true, true]);
  assert.equal(reserve.free, 8);
  watch.accepted();
  assert.deepEqual(events, [
    { kind: "fd-pressure", isDemoted: true, detail: "too few were left behind an accepted connection" },
  ]);
});

test("the reserve comes back first, and three accepts later the broker is told to serve again", () => {
  const { reserve, events, watch } = setUp();
  reserve.free = 0;
  watch.accepted();
  reserve.free = 16;
  watch.accepted();
  assert.ok(watch.isPressed);
  reserve.free = 40;
  watch.accepted();
  assert.deepEqual([watch.isPressed, watch.guard.isDemoted], [false, true]);
  watch.accepted();
  watch.accepted();
  assert.equal(watch.guard.isDemoted, false);
  assert.deepEqual(events.at(-1), { kind: "fd-pressure", isDemoted: false, detail: "" });
  assert.equal(events.length, 2);
});

test("an accept that failed for want of descriptors demotes; another failure does not", () => {
  const { watch, events } = setUp();
  watch.acceptFailed("ECONNABORTED");
  assert.equal(watch.guard.isDemoted, false);
  watch.acceptFailed("EMFILE");
  assert.ok(watch.guard.isDemoted);
  const [event] = events;
  assert.ok(event?.kind === "fd-pressure");
  assert.equal(event.detail, "accepting a connection gave EMFILE");
});

test("when even the reserve is used up, whoever is silent makes room", () => {
  const { reserve, seen, watch } = setUp();
  reserve.free = 0;
  watch.accepted();
  assert.equal(seen.shed, 0);
  reserve.free = 0;
  watch.accepted();
  assert.equal(seen.shed, 1);
});

test("without any accept the watch sees exhaustion by itself, and takes the reserve back when it may", async () => {
  const { reserve, watch, listener } = setUp();
  reserve.free = 0;
  watch.start(listener);
  await until("the demotion", () => watch.guard.isDemoted);
  reserve.free = 100;
  await until("the reserve", () => !watch.isPressed);
  assert.ok(watch.guard.isDemoted, "only accepts end it");
  watch.stop();
  assert.ok(reserve.isClosed);
});

test("a queue that nobody accepts from is taken up again, one that moves is not", async () => {
  const { reserve, seen, watch, listener } = setUp();
  reserve.free = 0;
  watch.accepted();
  reserve.free = 100;
  seen.isWaiting = true;
  let looks = 0;
  const moving = {
    ...listener,
    hasWaiting: () => {
      looks++;
      // Short of descriptors, so that it looks often, and something is accepted between two looks.
      watch.guard.exhausted();
      watch.accepted();
      return true;
    },
  };
  watch.start(moving);
  await until("five looks", () => looks >= 5);
  assert.equal(seen.again, 0);
  watch.start(listener);
  await until("another try", () => seen.again > 0);
  watch.stop();
  const { again } = seen;
  watch.stop();
  assert.equal(seen.again, again);
});
