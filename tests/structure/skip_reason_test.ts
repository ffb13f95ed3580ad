import assert from "node:assert/strict";
import test from "node:test";
import { skipReasonInSource } from "../../scripts/testing/skip_reason.ts";

const SOURCE = `
const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : "needs root";
const skip = process.platform !== "linux" && "reads /proc";
test("direct", { skip: isRoot ? false : "needs a root user, and \\"more\\"" }, () => {});
test("by constant", { timeout: 5, skip: needsRoot }, () => {});
test("by shorthand", { skip }, () => {});
describe("over lines", {
  skip: process.arch === "s390x" && "big endian",
}, () => {});
test("without reason", { skip: isRoot }, () => {});
test("not skipped", () => {});
`;

test("skipReasonInSource() finds a reason beside the title or in a constant", () => {
  const reasons: [string, string | undefined][] = [
    ["by constant", "needs root"],
    ["by shorthand", "reads /proc"],
    ["over lines", "big endian"],
    ["without reason", undefined],
    ["no such title", undefined],
  ];
  for (const [title, reason] of reasons) assert.equal(skipReasonInSource(SOURCE, title), reason, title);
  assert.match(skipReasonInSource(SOURCE, "direct") ?? "", /more|needs a root/);
});

test("skipReasonInSource() does not take the reason of the next test", () => {
  const source = 'test("bare", { skip: flag }, () => {});\ntest("other", { skip: "reason" }, () => {});\n';
  assert.equal(skipReasonInSource(source, "bare"), undefined);
});
