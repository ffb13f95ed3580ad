import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Admission, ConnectionLimits } from "../../../src/broker/limits/connection_limits.ts";

const PID = 77;

/** Admits so many, and tells in short what became of each. */
function admit(limits: ConnectionLimits, count: number, pid = PID, isPressed = false): string[] {
  return Array.from({ length: count }, () => shortly(limits.admit(pid, isPressed).admission));
}

function shortly(admission: Admission): string {
  return admission.kind === "serve" ? "serve" : `${admission.kind} ${admission.limit}`;
}

function times(count: number, what: string): string[] {
  return Array.from({ length: count }, () => what);
}

test("one process gets its share, is told a few times that it has it, and is closed unread then", () => {
  const limits = new ConnectionLimits({ openMax: 100, perProcessMax: 3 });
  assert.deepEqual(admit(limits, 13), [
    ...times(3, "serve"),
    ...times(8, "refuse connections-per-process"),
    ...times(2, "close connections-per-process"),
  ]);
  assert.deepEqual(admit(limits, 1, PID + 1), ["serve"], "others have theirs");
});

test("beyond what all may have, 32 are told, 8 of a process at most", () => {
  const limits = new ConnectionLimits({ openMax: 2, perProcessMax: 100 });
  assert.deepEqual(admit(limits, 2), times(2, "serve"));
  for (const pid of [1, 2, 3, 4]) {
    assert.deepEqual(admit(limits, 9, pid), [
      ...times(8, "refuse connections-open"),
      "close connections-open",
    ]);
  }
  assert.deepEqual(admit(limits, 1, 5), ["close connections-open"]);
});

test("a process that is not known has no limit of its own", () => {
  const limits = new ConnectionLimits({ openMax: 5, perProcessMax: 1 });
  assert.deepEqual(admit(limits, 6, 0), [...times(5, "serve"), "refuse connections-open"]);
  assert.equal(limits.processes, 0);
});

test("while descriptors are short three at once are answered, whoever they are", () => {
  const limits = new ConnectionLimits({ openMax: 100, perProcessMax: 100 });
  const { leave } = limits.admit(1, true);
  assert.deepEqual(admit(limits, 3, 2, true), [...times(2, "refuse descriptors"), "close descriptors"]);
  leave();
  assert.deepEqual(admit(limits, 2, 3, true), ["refuse descriptors", "close descriptors"]);
  assert.deepEqual(admit(limits, 1, 3), ["serve"]);
});

test("a refusal for want of room says which kind, and when to come again", () => {
  const limits = new ConnectionLimits({ openMax: 2, perProcessMax: 1 });
  const refusals = [1, 1, 2, 3].map((pid) => limits.admit(pid, false).admission)
    .flatMap((admission) => admission.kind === "refuse" ? [admission.refusal] : []);
  assert.deepEqual(refusals, [
    { code: 4, reason: "process has too many open connections; retry shortly", retryAfterMs: 1_000n },
    { code: 4, reason: "broker has too many open connections; retry shortly", retryAfterMs: 1_000n },
  ]);
});

test("what has left makes room once, however often that is said", () => {
  const limits = new ConnectionLimits({ openMax: 100, perProcessMax: 2 });
  const [first] = [limits.admit(PID, false), limits.admit(PID, false)];
  first.leave();
  first.leave();
  assert.deepEqual(admit(limits, 2), ["serve", "refuse connections-per-process"]);
});

test("limits hold for any coming and going, and nothing is remembered of a process that has left", () => {
  const step = fc.record({ pid: fc.integer({ min: 0, max: 3 }), isLeaving: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const limits = new ConnectionLimits({ openMax: 6, perProcessMax: 3 });
    const served: { pid: number; leave: () => void }[] = [];
    const refused: (() => void)[] = [];
    for (const { pid, isLeaving } of steps) {
      if (isLeaving) {
        served.shift()?.leave();
        continue;
      }
      const { admission, leave } = limits.admit(pid, false);
      const own = served.filter((one) => one.pid === pid && pid !== 0).length;
      assert.equal(admission.kind === "serve", served.length < 6 && own < 3);
      if (admission.kind === "serve") served.push({ pid, leave });
      else refused.push(leave);
    }
    for (const leave of [...served.map((one) => one.leave), ...refused]) leave();
    assert.equal(limits.processes, 0);
    assert.deepEqual(shortly(limits.admit(1, false).admission), "serve");
  }));
});
