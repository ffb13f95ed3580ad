// run-in: deno
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { type ReferenceName, referenceNamesPage } from "../../scripts/structure/reference_table.ts";
import { projectFile } from "../support/project.ts";
import { PublicEntry } from "./_public_entry.ts";

const MODULES = ["client", "handoff/wire", "handoff/fallback", "handoff/orchestrate_unix", "handoff/ack"];

const read = (path: string): string => readFileSync(projectFile(path), "utf8");
const names: ReferenceName[] = JSON.parse(read("tests/structure/reference_names.json"));
const entry = new PublicEntry();

test("mod.ts exports a counterpart of every public item of the reference's modules", () => {
  const missing = names.flatMap(({ module, item, ours }) => {
    const problem = entry.missing(ours);
    return problem === undefined ? [] : [`${module}::${item}: ${problem}`];
  });
  assert.deepEqual(missing, []);
});

test("the list of reference items names each once, of every module", () => {
  assert.deepEqual([...new Set(names.map(({ module }) => module))], MODULES);
  const keys = names.map(({ module, item }) => `${module}::${item}`);
  assert.deepEqual(keys.filter((key, at) => keys.indexOf(key) !== at), []);
});

test("a counterpart has the reference's word, or a note says why not", () => {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z]/g, "");
  const differing = names.filter(({ item, ours, note }) => {
    const word = plain(item.split("::").at(-1)!);
    const own = plain(ours.split(/[. ]/).at(-1)!);
    return note === undefined && own !== word && own !== `${word}ms`;
  });
  assert.deepEqual(differing.map(({ item, ours }) => `${item} -> ${ours}`), []);
});

test("docs/reference-names.md shows the list as it is", () => {
  assert.equal(
    read("docs/reference-names.md"),
    referenceNamesPage(names),
    "run: deno run -A scripts/write_reference_names.ts",
  );
});

test("PublicEntry.missing() tells absent names, members and variants from those that are there", () => {
  assert.equal(entry.missing("BackendConnection.stream"), undefined, "inherited");
  assert.equal(entry.missing('RefusalKind "Other"'), undefined);
  assert.equal(entry.missing('HANDOFF_FALLBACK_REASONS "AdoptedBackend"'), undefined);
  assert.match(entry.missing("NoSuchName")!, /exports no "NoSuchName"/);
  assert.match(entry.missing("BackendConnection.noSuchMember")!, /has no "noSuchMember"/);
  assert.match(entry.missing('RefusalKind "NoSuchVariant"')!, /has no "NoSuchVariant"/);
  assert.match(entry.missing('HANDOFF_FALLBACK_REASONS "NoSuchVariant"')!, /has no "NoSuchVariant"/);
});
