import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { projectFile } from "../support/project.ts";
import { occurrencesInStrings } from "./_titles.ts";

/** A test of the reference that has to have a counterpart: P as it is, A adapted. */
interface Row {
  readonly file: string;
  readonly test: string;
  readonly flag: "P" | "A";
}

/** Where a row's behaviour is pinned, or what it waits for and why. */
type Entry = { readonly test: string; readonly title: string } | {
  readonly waits: string;
  readonly why: string;
};

/** Rows flagged P or A, counted by hand in the reference's catalogue. */
const ROW_COUNT = 362;
const WAITS_FOR = [
  "the daemon issue: launch, supervise, limits, operate, shut down",
  "Windows",
  "macOS",
  "v2",
];

const read = (path: string): string => readFileSync(projectFile(path), "utf8");
const rows: Row[] = JSON.parse(read("tests/catalogue/rows.json"));
const mapText = read("tests/catalogue/map.json");
const map: Readonly<Record<string, Entry>> = JSON.parse(mapText);
const keys = rows.map((row) => `${row.file}::${row.test}`);
const isMapped = (entry: Entry): entry is Extract<Entry, { test: string }> => "test" in entry;

test("the catalogue has every row once", () => {
  assert.equal(rows.length, ROW_COUNT);
  assert.equal(new Set(keys).size, ROW_COUNT);
  assert.deepEqual(rows.filter(({ flag }) => flag !== "P" && flag !== "A"), []);
});

test("each row is mapped, and nothing else is", () => {
  assert.deepEqual(keys.filter((key) => !Object.hasOwn(map, key)), [], "unmapped rows");
  assert.deepEqual(Object.keys(map).filter((key) => !keys.includes(key)), [], "unknown rows");
});

test("no row is mapped twice", () => {
  const named = [...mapText.matchAll(/^ {2}"([^"]+)": \{/gm)].map(([, key]) => key);
  assert.equal(named.length, ROW_COUNT);
  assert.deepEqual(named.filter((key, at) => named.indexOf(key) !== at), []);
});

test("each mapped test is there, under a title that names one", () => {
  const sources = new Map<string, string>();
  const missing = Object.entries(map).flatMap(([key, entry]) => {
    if (!isMapped(entry)) return [];
    const { test: path, title } = entry;
    if (!/^tests\/.+_test\.ts$/.test(path) || !existsSync(projectFile(path))) {
      return [`${key}: no file "${path}"`];
    }
    const source = sources.get(path) ?? read(path);
    sources.set(path, source);
    const count = occurrencesInStrings(source, title);
    return count === 1 ? [] : [`${key}: "${title}" is ${count} times in ${path}`];
  });
  assert.deepEqual(missing, []);
});

test("each row that waits says for what, and why", () => {
  const waiting = Object.entries(map).flatMap(([key, entry]) =>
    isMapped(entry) ? [] : [[key, entry] as const]
  );
  const wrong = waiting.filter(([, { waits, why }]) => !WAITS_FOR.includes(waits) || why === "");
  assert.deepEqual(wrong, []);
  const counts = WAITS_FOR.map((waits) =>
    `${waiting.filter(([, entry]) => entry.waits === waits).length} ${waits}`
  );
  console.log(
    `catalogue: ${rows.length - waiting.length} of ${rows.length} rows mapped; wait: ${counts.join(", ")}`,
  );
});

test("occurrencesInStrings() counts in strings only, whatever they are quoted with", () => {
  const source =
    'test("a title", () => {}); // a title\nconst aTitle = `${1} a title`; /a title/;\nf("a titl" + "e");';
  assert.equal(occurrencesInStrings(source, "a title"), 3);
  assert.equal(occurrencesInStrings(source, "another title"), 0);
  assert.equal(occurrencesInStrings("const title = 1; // title", "title"), 0);
});
