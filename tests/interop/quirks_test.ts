// run-in: deno
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { projectFile } from "../support/project.ts";
import { type QuirkName, quirks } from "./_quirks.ts";
import { formatColumns } from "./_table.ts";

const FOLDER = "tests/interop";
const names = Object.keys(quirks) as QuirkName[];

test("every quirk is asserted by name in some test", () => {
  const files = readdirSync(projectFile(FOLDER)).filter((name) =>
    name.endsWith(".ts") && name !== "_quirks.ts" && name !== "quirks_test.ts"
  );
  const users = new Map(
    names.map((name) => [name, files.filter((file) => readText(file).includes(`"${name}"`))]),
  );
  console.log(
    formatColumns([
      ["quirk", "asserted in"],
      ...names.map((name) => [name, (users.get(name) ?? []).join(", ")]),
    ]),
  );
  assert.deepEqual(names.filter((name) => users.get(name)?.length === 0), []);
});

test("the peer's README explains every quirk and no other", () => {
  const rows = readText("peer/README.md").matchAll(/^\| ([a-z0-9-]+) \| (?:both|4\.[0-9.]+) \|/gm);
  assert.deepEqual([...rows].map(([, name]) => name), names);
});

function readText(path: string): string {
  return readFileSync(projectFile(`${FOLDER}/${path}`), "utf8");
}
