import assert from "node:assert/strict";
import { constants } from "node:os";
import { describe, test } from "node:test";
import { type ErrnoName, ErrnoTable } from "../../ffi/errno.ts";
import { probeC } from "./c_probe.ts";
import { layout } from "./native_fixture.ts";

describe("ErrnoTable", () => {
  const linux = new ErrnoTable("linux");
  const macos = new ErrnoTable("darwin");

  test("has the numbers of the C compiler", () => {
    const { numbers } = new ErrnoTable(layout.platform);
    assert.deepEqual(numbers, probeC(Object.fromEntries(Object.keys(numbers).map((name) => [name, name]))));
  });

  test("has the numbers that the runtime knows", () => {
    const { numbers } = new ErrnoTable(layout.platform);
    const runtimes: Record<string, number> = constants.errno;
    const shared = Object.keys(numbers).filter((name) => name in runtimes) as ErrnoName[];
    assert.ok(shared.length > 20, `only ${shared.length} names are known to the runtime`);
    for (const name of shared) assert.equal(numbers[name], runtimes[name], name);
  });

  test("has one name a number on each kernel", () => {
    for (const table of [linux, macos]) {
      const numbers = Object.values(table.numbers);
      assert.equal(new Set(numbers).size, numbers.length);
    }
  });

  test("describe() gives name and number, nameOf() the name", () => {
    assert.equal(linux.describe(32), "EPIPE (32)");
    assert.equal(linux.describe(11), "EAGAIN (11)");
    assert.equal(macos.describe(35), "EAGAIN (35)");
    assert.equal(macos.nameOf(55), "ENOBUFS");
    assert.deepEqual(macos.failure(57), { ok: false, errno: 57, name: "ENOTCONN" });
  });

  test("an unknown number is described as it is", () => {
    assert.equal(linux.describe(4242), "errno 4242");
    assert.equal(linux.nameOf(4242), "errno 4242");
  });

  test("isBackpressure() takes EMSGSIZE and ENOBUFS for a full way on macOS only", () => {
    const backpressure = (table: ErrnoTable) =>
      (Object.keys(table.numbers) as ErrnoName[]).filter((name) => table.isBackpressure(table.numbers[name]));
    assert.deepEqual(backpressure(linux), ["EAGAIN", "ETOOMANYREFS"]);
    assert.deepEqual(backpressure(macos), ["EAGAIN", "EMSGSIZE", "ENOBUFS"]);
  });
});
