import assert from "node:assert/strict";
import test from "node:test";
import { quotedText } from "../../src/naming/quoted_text.ts";

test("quotedText() leaves what can be printed", () => {
  assert.equal(quotedText("it's é 日本 😀 ~"), `"it's é 日本 😀 ~"`);
});

test("quotedText() escapes like the reference", () => {
  assert.equal(quotedText('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(quotedText("\0\t\n\r"), '"\\0\\t\\n\\r"');
  assert.equal(quotedText("\x01\x1b\x7f"), '"\\u{1}\\u{1b}\\u{7f}"');
  assert.equal(quotedText("\u00a0\u200b\u2028\ufeff\ue000"), '"\\u{a0}\\u{200b}\\u{2028}\\u{feff}\\u{e000}"');
});

test("quotedText() escapes a mark that would combine with the quote", () => {
  assert.equal(quotedText("\u0301e\u0301"), '"\\u{301}e\\u{301}"');
});

test("quotedText() escapes half a surrogate pair", () => {
  assert.equal(quotedText("\ud800a"), '"\\u{d800}a"');
});
