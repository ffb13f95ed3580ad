import assert from "node:assert/strict";
import test from "node:test";
import { LaunchError } from "../../../src/broker/launch/launch_error.ts";
import { launchLabels } from "../../../src/broker/launch/launch_labels.ts";

test("launchLabels() reads the idle timeout, 30 s when there is none", () => {
  const read = (label?: string) =>
    launchLabels(label === undefined ? {} : { idle_timeout_secs: label }).idleTimeoutSecs;
  assert.deepEqual([read(), read(""), read("1"), read(" 900 "), read("4294967295")], [
    30,
    30,
    1,
    900,
    4294967295,
  ]);
  for (const label of ["0", "-1", "1.5", "soon", "0x10", "4294967296", "1e3"]) {
    assert.throws(() => read(label), (error) => {
      assert.ok(error instanceof LaunchError && error.kind === "Label", String(error));
      assert.match(error.detail, /label idle_timeout_secs cannot be used/);
      return true;
    });
  }
});
