import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../../src/errors.ts";
import { UnixDescriptorReserve } from "../../../src/transport/unix/descriptor_reserve.ts";
import { native } from "../_transport.ts";

const COUNT = 8;
const skip = process.platform !== "linux" && "the numbers of descriptors cannot be chosen";
/** Above what this process has open, so that numbers below it are given in order, and below any usual limit. */
const LIMIT = 1_000;

/** How many descriptors are open below the limit, and of them from a number on. */
function openFrom(numberMin: number): number {
  return native.sockets.countOpen(LIMIT)! - native.sockets.countOpen(numberMin)!;
}

/** The lowest limit under which so many descriptors are free below the reserve. */
function limitWithFree(wanted: number): number {
  let limit = COUNT;
  // The reserve takes one of them for itself.
  while (limit - COUNT - native.sockets.countOpen(limit)! - 1 < wanted) limit++;
  return limit;
}

/** Native calls to which descriptors run out when so many copies are there. */
function limited(copiesMax: number): { calls: Native; open: Set<number> } {
  const open = new Set<number>();
  const { sockets } = native;
  const duplicateFd: typeof sockets.duplicateFd = (fd, numberMin) => {
    if (open.size >= copiesMax) return { ok: false, errno: 24, name: "EMFILE" };
    const copy = sockets.duplicateFd(fd, numberMin);
    if (copy.ok) open.add(copy.fd);
    return copy;
  };
  const closeFd: typeof sockets.closeFd = (fd) => {
    open.delete(fd);
    return sockets.closeFd(fd);
  };
  return { calls: { ...native, sockets: { ...sockets, duplicateFd, closeFd } }, open };
}

test("a reserve sits at the upper end, is given up at once and taken back as a whole", { skip }, () => {
  const before = openFrom(0);
  const reserve = new UnixDescriptorReserve(native, COUNT, LIMIT);
  assert.deepEqual([reserve.isWhole, openFrom(LIMIT - COUNT)], [true, COUNT]);
  assert.equal(openFrom(0), before + COUNT + 1);
  assert.equal(reserve.usedRatio(), openFrom(0) / LIMIT);
  reserve.release();
  assert.deepEqual([reserve.isWhole, openFrom(LIMIT - COUNT)], [false, 0]);
  assert.ok(reserve.refill());
  assert.deepEqual([reserve.isWhole, openFrom(LIMIT - COUNT)], [true, COUNT]);
  reserve.close();
  reserve.close();
  assert.equal(reserve.refill(), false);
  assert.equal(openFrom(0), before);
});

test("looking costs no descriptor", { skip }, () => {
  const reserve = new UnixDescriptorReserve(native, COUNT, LIMIT);
  const before = openFrom(0);
  for (let i = 0; i < 100; i++) assert.deepEqual([reserve.glance(), reserve.count()], ["enough", "enough"]);
  assert.equal(openFrom(0), before);
  reserve.close();
});

test("a low number that was given out just now is told without a call, a high one is looked into", () => {
  const { calls, open } = limited(COUNT + 1);
  const reserve = new UnixDescriptorReserve(calls, COUNT, LIMIT);
  open.add(-1);
  const low = LIMIT - 3 * COUNT - 1;
  assert.deepEqual([reserve.glance(), reserve.glance(low), reserve.glance(low + 1)], [
    "none",
    "enough",
    "none",
  ]);
  reserve.release();
  open.add(-2).add(-3).add(-4).add(-5).add(-6).add(-7).add(-8).add(-9);
  assert.equal(reserve.glance(low), "none", "the reserve was given up: every number counts");
  open.clear();
  reserve.close();
});

test("without a known limit none left is seen all the same, and the reserve comes back only as a whole", () => {
  const { calls, open } = limited(COUNT + 1);
  const reserve = new UnixDescriptorReserve(calls, COUNT, undefined);
  assert.deepEqual([reserve.glance(), reserve.usedRatio()], ["enough", 0]);
  open.add(-1);
  assert.deepEqual([reserve.glance(), reserve.count()], ["none", "none"]);
  reserve.release();
  assert.equal(reserve.glance(), "enough");
  assert.equal(reserve.refill(), false, "nothing would be left for others");
  assert.equal(open.size, 1, "and none is kept");
  open.delete(-1);
  assert.ok(reserve.refill());
  reserve.close();
  assert.equal(open.size, 0);
});

test("a limit that is far away is not watched: a number up there would cost the kernel a table", () => {
  const reserve = new UnixDescriptorReserve(native, COUNT, 1_000_000);
  assert.equal(openFrom(LIMIT - COUNT), 0);
  assert.deepEqual([reserve.glance(), reserve.count()], ["enough", "enough"]);
  const ratio = reserve.usedRatio();
  assert.ok(ratio > 0 && ratio < 0.001, String(ratio));
  reserve.close();
});

test("where so few are free that it would be short at once there is no reserve", { skip }, () => {
  const before = openFrom(0);
  assert.throws(() => new UnixDescriptorReserve(native, COUNT, limitWithFree(2 * COUNT - 1)), (error) => {
    assert.ok(BrokerError.is(error));
    assert.match(
      error.message,
      /Cannot keep 8 file descriptors back: there are not so many; raise the limit/,
    );
    return true;
  });
  assert.equal(openFrom(0), before, "nothing is left of it");
});

test("few are told from enough by counting, whichever numbers are free", { skip }, () => {
  const reserve = new UnixDescriptorReserve(native, COUNT, limitWithFree(2 * COUNT));
  assert.equal(reserve.count(), "enough");
  const taken = Array.from({ length: COUNT }, () => {
    const copy = native.sockets.duplicateFd(0);
    assert.ok(copy.ok);
    return copy.fd;
  });
  assert.deepEqual([reserve.count(), reserve.glance()], ["short", "short"]);
  // One number that is free low down is all that a glance sees.
  native.sockets.closeFd(taken.shift()!);
  const another = native.sockets.duplicateFd(0, taken.at(-1)! + 1);
  assert.deepEqual([reserve.count(), reserve.glance()], ["short", "enough"]);
  reserve.release();
  assert.equal(reserve.refill(), false, "it would be short again");
  for (const fd of taken) native.sockets.closeFd(fd);
  if (another.ok) native.sockets.closeFd(another.fd);
  assert.ok(reserve.refill());
  assert.equal(reserve.count(), "enough");
  reserve.close();
});
