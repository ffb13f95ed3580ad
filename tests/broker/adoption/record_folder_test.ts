import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import test from "node:test";
import { recordOf } from "../../../src/broker/adoption/backend_record.ts";
import { readRecord, RecordFolder, removeRecord } from "../../../src/broker/adoption/record_folder.ts";
import { BrokerError } from "../../../src/errors.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { backendOf } from "../_backends.ts";
import { ownIdentity } from "../_probed_backend.ts";
import { written } from "./_recorded.ts";

function makeRecord(version: string, startMark = "991") {
  const identity = written(ownIdentity("/run/be.sock"));
  const found = { pid: identity.pid, startMark };
  const fields = { backendPipe: "/run/be.sock", identity, process: found };
  return recordOf(backendOf({ version }, fields), { executable: "/usr/bin/tool", args: [] });
}

test("RecordFolder keeps a record a key, for its owner alone, and lists nothing else", async () => {
  await using dir = await makeTempDir();
  const folder = new RecordFolder(dir.join("br.sock"));
  assert.deepEqual(await folder.list(), []);
  const records = [makeRecord("1.0.0"), makeRecord("2.0.0")];
  for (const record of records) await folder.write(record);
  await folder.write(records[0]!);
  const paths = records.map(({ key }) => folder.pathOf(key));
  writeFileSync(`${folder.path}/.${"0".repeat(16)}.json.tmp-1-2`, "");
  writeFileSync(`${folder.path}/notes.json`, "");
  assert.deepEqual((await folder.list()).sort(), paths.toSorted());
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  for (const [index, path] of paths.entries()) {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(await readRecord(path), records[index]);
  }
});

test("RecordFolder forgets the process that has ended and not its successor", async () => {
  await using dir = await makeTempDir();
  const folder = new RecordFolder(dir.join("br.sock"));
  const [ended, successor] = [makeRecord("1.0.0", "1"), makeRecord("1.0.0", "2")];
  const path = folder.pathOf(ended.key);
  await folder.write(successor);
  folder.forget(ended.key, ended.process);
  assert.deepEqual(await readRecord(path), successor);
  folder.forget(successor.key, successor.process);
  assert.equal(await readRecord(path), undefined);
  folder.forget(successor.key, successor.process);
  await removeRecord(path);
});

test("RecordFolder uses no folder that is open to others", async () => {
  await using dir = await makeTempDir();
  const folder = new RecordFolder(dir.join("br.sock"));
  mkdirSync(folder.path, { mode: 0o700 });
  writeFileSync(`${folder.path}/${"0".repeat(16)}.json`, "");
  chmodSync(folder.path, 0o755);
  const isConfig = (error: unknown) => BrokerError.is(error) && error.code === "config";
  await assert.rejects(folder.list(), isConfig);
  await assert.rejects(folder.write(makeRecord("1.0.0")), isConfig);
});

test("readRecord() takes no file that is larger than a record", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("record"), " ".repeat(256 * 1024 + 1));
  await assert.rejects(readRecord(dir.join("record")), /at most 262144/);
});
