// run-in: deno
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { type FileOutcome, takeSteps } from "./_file_parties.ts";
import { isRust, Labs, parties, type Party } from "./_probers.ts";
import { type SharedFile, sharedFiles, wrongFields } from "./_shared_files.ts";
import { formatColumns } from "./_table.ts";

for (const file of sharedFiles) {
  test(`every party reads the ${file.name} of every other`, async () => {
    await using labs = await Labs.open();
    const folders = new Map<Party, string>();
    for (const writer of file.writers) folders.set(writer, await writeBy(labs, writer, file));
    const readers = new Map<Party, readonly string[]>();
    for (const reader of parties) {
      readers.set(reader, await readBy(labs, reader, file, [...folders.values()]));
    }
    const cell = (writer: Party, reader: Party) => readers.get(reader)?.[file.writers.indexOf(writer)] ?? "";
    const rows = file.writers.map((writer) => [writer, ...parties.map((reader) => cell(writer, reader))]);
    const header = ["writer", ...parties.map((reader) => `reader ${reader}`)];
    console.log(`${file.name}\n${formatColumns([header, ...rows])}`);
    const wanted = file.writers.map((writer) => [
      writer,
      ...parties.map((reader) => file.expected(writer, reader)),
    ]);
    assert.deepEqual(rows, wanted);
    if (!file.isUniform) return;
    const texts = [...folders.values()].map((folder) => readFileSync(file.path(folder), "hex"));
    assert.equal(
      new Set(texts).size,
      1,
      `the bytes of ${file.writers.join(", ")} are the same: ${texts.join("\n")}`,
    );
  });
}

test("every party lists the manifests that every other wrote on this host", async () => {
  await using labs = await Labs.open();
  const folder = await labs.of("deno").newFolder();
  const written: string[] = [];
  for (const [i, writer] of parties.entries()) {
    const message = { service_name: "my-daemon", service_version: `1.0.${i}`, broker_instance: writer };
    requireOk(await takeSteps(labs, writer, [{ act: "manifest-write", path: folder, message }]));
    written.push(writer);
  }
  const elsewhere = {
    service_name: "my-daemon",
    service_version: "2.0.0",
    host: { machine_id: "m", boot_id: "b" },
  };
  requireOk(await takeSteps(labs, "deno", [{ act: "manifest-write", path: folder, message: elsewhere }]));
  for (const reader of parties) {
    const [listed] = requireOk(await takeSteps(labs, reader, [{ act: "manifest-list", path: folder }]));
    const instances = (listed as { broker_instance: string }[]).map((entry) => entry.broker_instance);
    assert.deepEqual(instances, written, reader);
  }
});

async function writeBy(labs: Labs, writer: Party, file: SharedFile): Promise<string> {
  const folder = await labs.of(writer).newFolder();
  requireOk(await takeSteps(labs, writer, [file.write(folder)]));
  return folder;
}

/** What a reader makes of each folder's file. */
async function readBy(
  labs: Labs,
  reader: Party,
  file: SharedFile,
  folders: readonly string[],
): Promise<string[]> {
  const outcomes = await takeSteps(labs, reader, folders.map((folder) => file.read(folder)));
  return outcomes.map((outcome) => {
    if (!outcome.ok) {
      const quirk = isRust(reader) ? file.quirkOf(outcome.error) : undefined;
      return quirk ?? `FAILED: ${outcome.error}`;
    }
    const wrong = wrongFields(file, outcome.value);
    return wrong.length === 0 ? "ok" : `FAILED: ${wrong.join(", ")}`;
  });
}

function requireOk(outcomes: readonly FileOutcome[]): unknown[] {
  return outcomes.map((outcome) => {
    assert.ok(outcome.ok, JSON.stringify(outcome));
    return outcome.value;
  });
}
