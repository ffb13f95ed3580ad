import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { findImports, lineAt, readSourceText } from "../../scripts/structure/source_text.ts";

const codeOf = (text: string) => readSourceText(text).code;

test("readSourceText() blanks comments, and nothing that looks like one", () => {
  assert.equal(codeOf("a; // b\nc"), "a;     \nc");
  assert.equal(codeOf("a /* b\n */ c"), "a     \n    c");
  assert.equal(codeOf('a("//b"); c'), 'a("   "); c');
  assert.equal(codeOf("a(/\\/*b/); c"), "a(/    /); c");
  assert.equal(codeOf("a = b / c; // d / e"), "a = b / c;         ");
});

test("readSourceText() blanks texts and templates, but keeps a template's expressions", () => {
  assert.equal(codeOf('x("a\\"b", \'c\')'), "x(\"    \", ' ')");
  assert.equal(codeOf("x(`a${b}c`)"), "x(` ${b} `)");
  assert.equal(codeOf("x(`${{ a: `b` }}`); y"), "x(`${{ a: ` ` }}`); y");
  assert.equal(codeOf('return /[/"]/.test(a); b'), "return /    /.test(a); b");
});

test("readSourceText() keeps comments apart", () => {
  assert.equal(readSourceText('a; // b "c"\nd').comments, '   // b "c"\n ');
});

test("readSourceText() keeps the length and the lines of any text", () => {
  const pieces = fc.constantFrom(
    "/",
    "*",
    '"',
    "'",
    "`",
    "${",
    "}",
    "{",
    "\\",
    "\n",
    "a",
    " ",
    "[",
    "]",
    "😀",
  );
  fc.assert(fc.property(fc.array(pieces), (parts) => {
    const text = parts.join("");
    const { code, comments } = readSourceText(text);
    for (const masked of [code, comments]) {
      assert.equal(masked.length, text.length);
      assert.equal(masked.split("\n").length, text.split("\n").length);
    }
  }));
});

test("findImports() finds every form of import with its line", () => {
  const text = [
    'import a, { b } from "./a.ts";',
    "import type {",
    "  C,",
    '} from "./c.ts";',
    'import "./effect.ts";',
    'export { d } from "d";',
    'export type * from "./e.ts";',
    'const f = await import("./f.ts");',
    '// import g from "./g.ts";',
    'const h = "import h from \\"./h.ts\\"";',
    "const i = await import(name);",
  ].join("\n");
  const found = findImports(readSourceText(text)).map(({ line, specifier, kind }) =>
    `${line} ${specifier} ${kind}`
  );
  assert.deepEqual(found.sort(), [
    "1 ./a.ts static",
    "2 ./c.ts static",
    "5 ./effect.ts static",
    "6 d re-export",
    "7 ./e.ts re-export",
    "8 ./f.ts dynamic",
  ]);
});

test("lineAt() counts from 1", () => {
  assert.deepEqual([0, 1, 2, 3].map((offset) => lineAt("a\nb\n", offset)), [1, 1, 2, 2]);
});
