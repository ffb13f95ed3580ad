import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import test, { describe } from "node:test";
import { countFds, fdCountAtMost, settledFdCount } from "./fd_count.ts";

const skip = process.platform !== "linux" && "reads /proc";

describe("descriptor counts", { skip }, () => {
  test("countFds() sees each open descriptor", async () => {
    const before = await settledFdCount();
    const opened = [openSync("/dev/null", "r"), openSync("/dev/null", "r")];
    assert.equal(countFds(), before + 2);
    for (const fd of opened) closeSync(fd);
    assert.equal(await settledFdCount(), before);
  });

  test("settledFdCount() rejects when the count keeps changing", async () => {
    const opened: number[] = [];
    const timer = setInterval(() => opened.push(openSync("/dev/null", "r")), 5);
    try {
      await assert.rejects(settledFdCount(process.pid, { deadlineMs: 150, stableMs: 100 }), /still change/);
    } finally {
      clearInterval(timer);
      for (const fd of opened) closeSync(fd);
    }
  });

  test("fdCountAtMost() waits for descriptors to close and tells how many stayed", async () => {
    const before = await settledFdCount();
    const [late, kept] = [openSync("/dev/null", "r"), openSync("/dev/null", "r")];
    setTimeout(() => closeSync(late), 20);
    assert.equal(await fdCountAtMost(process.pid, before + 1, 5_000), before + 1);
    assert.equal(await fdCountAtMost(process.pid, before, 30), before + 1);
    closeSync(kept);
  });
});
