import assert from "node:assert/strict";
import test from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { tokenBytesOf, tokenOf } from "./_support.ts";

test("HandoffToken.fromBytes() takes exactly 16 bytes", () => {
  for (let length = 0; length <= 40; length++) {
    assert.equal(
      HandoffToken.fromBytes(new Uint8Array(length)) !== undefined,
      length === 16,
      `${length} bytes`,
    );
  }
});

test("HandoffToken keeps copies of the bytes it was given and gives out", () => {
  const given = tokenBytesOf(7);
  const token = HandoffToken.fromBytes(given);
  assert.ok(token !== undefined);
  given.fill(0);
  assert.deepEqual(token.toBytes(), tokenBytesOf(7));
  token.toBytes().fill(0);
  assert.deepEqual(token.toBytes(), tokenBytesOf(7));
});

test("HandoffToken.equals() sees a difference in any bit", () => {
  assert.ok(tokenOf(1).equals(tokenOf(1)));
  for (let bit = 0; bit < 128; bit++) {
    const bytes = tokenBytesOf(1);
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
    assert.equal(HandoffToken.fromBytes(bytes)?.equals(tokenOf(1)), false, `bit ${bit}`);
  }
});

test("HandoffToken.toMapKey() is equal for equal bytes only", () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(fc.property(bytes, bytes, (a, b) => {
    const [one, other] = [HandoffToken.fromBytes(a), HandoffToken.fromBytes(b)];
    assert.ok(one !== undefined && other !== undefined);
    assert.equal(one.toMapKey(), HandoffToken.fromBytes(a)?.toMapKey());
    assert.equal(one.toMapKey() === other.toMapKey(), one.equals(other));
    assert.equal(one.toMapKey().length, 16);
  }));
});

/** Every way of turning a value into text that a log may use, in the runtime at hand. */
function printings(value: unknown): string[] {
  const runtimes = globalThis as unknown as Record<
    string,
    { inspect?: (value: unknown) => string } | undefined
  >;
  const own = ["Deno", "Bun"].map((name) => runtimes[name]?.inspect?.(value)).filter((text) =>
    text !== undefined
  );
  const deep = inspect(value, { showHidden: true, depth: 9, customInspect: false });
  return [String(value), `${value}`, JSON.stringify(value), inspect(value), deep, ...own];
}

test("HandoffToken never prints a byte of itself", () => {
  const bytes = Uint8Array.from("SECRETSECRETKEY!", (letter) => letter.charCodeAt(0));
  const token = HandoffToken.fromBytes(bytes);
  const hex = Array.from(bytes, (byte) => byte.toString(16)).join("");
  for (const text of [...printings(token), ...printings({ token }), ...printings([token])]) {
    for (const secret of ["SECRET", hex.slice(0, 8), "83, 69", "83,69", "53 45"]) {
      assert.ok(!text.includes(secret), `"${text}" shows "${secret}"`);
    }
  }
  for (const text of [String(token), inspect(token)]) assert.equal(text, "HandoffToken(redacted)");
  assert.equal(JSON.stringify({ token }), '{"token":"HandoffToken(redacted)"}');
});

test("HandoffToken says that it is redacted to each runtime's own printer", () => {
  for (const hook of ["nodejs.util.inspect.custom", "Deno.customInspect"]) {
    const print = Reflect.get(tokenOf(1), Symbol.for(hook)) as (this: HandoffToken) => string;
    assert.equal(print.call(tokenOf(1)), "HandoffToken(redacted)");
  }
});
