import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { checkVersionAllowed } from "../../src/service/version_policy.ts";

const policy = (minVersion: string, ...versionAllowList: string[]) => ({ minVersion, versionAllowList });

test("checkVersionAllowed() compares the three numbers as numbers", () => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const triple = fc.tuple(number, number, number);
  fc.assert(fc.property(triple, triple, fc.constantFrom("", "-rc.1", "-0"), (wanted, minimum, tail) => {
    const index = wanted.findIndex((part, at) => part !== minimum[at]);
    const isBelow = index >= 0 && wanted[index]! < minimum[index]!;
    const block = checkVersionAllowed(policy(minimum.join(".")), wanted.join(".") + tail);
    assert.equal(block, isBelow ? "BelowMinVersion" : undefined);
  }));
});

test("checkVersionAllowed() passes what it cannot compare", () => {
  for (
    const wanted of [
      "",
      "bogus",
      "1.2",
      "1.2.3.4",
      "1..3",
      "1.2.x",
      "0.0.18446744073709551616",
      " 1.2.3",
      "-",
    ]
  ) {
    assert.equal(checkVersionAllowed(policy("9.0.0"), wanted), undefined, wanted);
  }
  assert.equal(checkVersionAllowed(policy("bogus"), "0.0.0"), undefined);
  assert.equal(checkVersionAllowed(policy("9.0.0"), "18446744073709551615.0.0"), undefined);
  assert.equal(checkVersionAllowed(policy("9.0.0"), "+8.0.0"), "BelowMinVersion");
});

test("checkVersionAllowed() takes the list literally, after the minimum", () => {
  assert.equal(checkVersionAllowed(policy("", "1.0.0"), "1.0.0"), undefined);
  assert.equal(checkVersionAllowed(policy("", "1.0.0"), "01.0.0"), "OutsideAllowList");
  assert.equal(checkVersionAllowed(policy("2.0.0", "1.0.0"), "1.0.0"), "BelowMinVersion");
  assert.equal(checkVersionAllowed(policy("1.0.0", "bogus"), "bogus"), undefined);
});
