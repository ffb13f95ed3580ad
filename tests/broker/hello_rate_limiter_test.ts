import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  HELLO_RATE_MAX,
  HELLO_RATE_WINDOW_MS,
  HelloRateLimiter,
} from "../../src/broker/hello_rate_limiter.ts";

test("a process has 256 Hellos a second by default", () => {
  assert.deepEqual([HELLO_RATE_MAX, HELLO_RATE_WINDOW_MS], [256, 1_000]);
  const limiter = new HelloRateLimiter();
  for (let i = 0; i < 256; i++) assert.equal(limiter.count(7, 5_000 + i), undefined, String(i));
  assert.equal(limiter.count(7, 5_300), 700);
  assert.equal(limiter.count(8, 5_300), undefined, "each process has its own window");
});

test("the window starts with the first Hello and ends after its length, whatever came in it", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 2, windowMs: 100 });
  assert.equal(limiter.count(7, 1_000), undefined);
  assert.equal(limiter.count(7, 1_090), undefined);
  assert.equal(limiter.count(7, 1_090), 10);
  assert.equal(limiter.count(7, 1_099), 1);
  assert.equal(limiter.count(7, 1_100), undefined, "a new window");
  assert.equal(limiter.count(7, 1_199), undefined);
  assert.equal(limiter.count(7, 1_199), 1);
});

test("the hint is whole milliseconds, at least one, and enough", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 1, windowMs: 100 });
  limiter.count(7, 0);
  assert.equal(limiter.count(7, 0.25), 100);
  assert.equal(limiter.count(7, 98.5), 2);
  assert.equal(limiter.count(7, 99.999), 1);
  assert.equal(limiter.count(7, 99.999 + 1), undefined);
});

test("refused Hellos do not lengthen the wait", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 1, windowMs: 100 });
  limiter.count(7, 0);
  for (let now = 1; now < 100; now++) assert.equal(limiter.count(7, now), 100 - now);
  assert.equal(limiter.count(7, 100), undefined);
});

test("0 turns the limit off, and remembers nobody", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 0 });
  for (let i = 0; i < 2_000; i++) assert.equal(limiter.count(7, 0), undefined);
  assert.equal(limiter.processes, 0);
});

test("a process that is not known is not counted", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 1 });
  for (let i = 0; i < 50; i++) assert.equal(limiter.count(0, 0), undefined);
  assert.equal(limiter.processes, 0);
});

test("a window of no length is one of a millisecond", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 1, windowMs: 0 });
  assert.equal(limiter.count(7, 0), undefined);
  assert.equal(limiter.count(7, 0.5), 1);
  assert.equal(limiter.count(7, 1), undefined);
});

test("processes whose window is over are forgotten when another comes", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 5, windowMs: 100 });
  for (let pid = 1; pid <= 50; pid++) limiter.count(pid, pid);
  assert.equal(limiter.processes, 50);
  limiter.count(99, 130);
  assert.equal(limiter.processes, 21, "31 to 50 and the new one");
});

test("at most 32768 processes are remembered, the oldest goes first", () => {
  const limiter = new HelloRateLimiter({ hellosMax: 1, windowMs: 1_000 });
  for (let pid = 1; pid <= 32_768; pid++) limiter.count(pid, 0);
  assert.equal(limiter.processes, 32_768);
  assert.equal(limiter.count(1, 0), 1_000);
  limiter.count(40_000, 1);
  assert.equal(limiter.processes, 32_768);
  assert.equal(limiter.count(2, 1), 999, "the second is remembered");
  assert.equal(limiter.count(1, 1), undefined, "the first was forgotten");
});

test("any sequence has the outcomes of a list of all Hellos", () => {
  const hello = fc.record({ pid: fc.integer({ min: 0, max: 4 }), afterMs: fc.integer({ min: 0, max: 40 }) });
  const options = fc.record({ hellosMax: fc.nat(4), windowMs: fc.integer({ min: 1, max: 60 }) });
  fc.assert(
    fc.property(fc.array(hello, { maxLength: 60 }), options, (hellos, { hellosMax, windowMs }) => {
      const limiter = new HelloRateLimiter({ hellosMax, windowMs });
      const accepted = new Map<number, number[]>();
      let nowMs = 0;
      for (const { pid, afterMs } of hellos) {
        nowMs += afterMs;
        let times = accepted.get(pid) ?? [];
        if (times.length > 0 && nowMs >= times[0]! + windowMs) times = [];
        const isExempt = pid === 0 || hellosMax === 0;
        const isFull = !isExempt && times.length >= hellosMax;
        const wanted = isFull ? times[0]! + windowMs - nowMs : undefined;
        if (!isFull) times = [...times, nowMs];
        accepted.set(pid, times);
        assert.equal(limiter.count(pid, nowMs), wanted);
      }
    }),
    { numRuns: 300 },
  );
});
