import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import test from "node:test";
import { adoptBackends, type AdoptParts, RECORDS_MAX } from "../../../src/broker/adoption/adopt_backends.ts";
import type { BackendRecord } from "../../../src/broker/adoption/backend_record.ts";
import { BackendRegistry, type RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import { launchCommand } from "../../../src/broker/launch/launch_command.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { ServiceDefinitionLoader } from "../../../src/service/service_definition_loader.ts";
import { writeServiceDefinition } from "../../../src/service/service_definition_file.ts";
import { dirname } from "node:path";
import { BrokerIsolation } from "../../../src/wire/gen/broker_v1_service_def_pb.ts";
import { makeDefinition } from "../../service/_definition.ts";
import { deferred, turns } from "../../support/waiting.ts";
import { transport } from "../../transport/_transport.ts";
import { backendOf } from "../_backends.ts";
import { answerProbes, ownBinary, type ProbedBackend } from "../_probed_backend.ts";
import { ownRecord, recordsBeside } from "./_recorded.ts";

const DEFINITION = makeDefinition({
  binaryPath: ownBinary,
  perVersionBinaryDir: dirname(ownBinary),
  minVersion: "1.0.0",
});
const COMMAND = await launchCommand(DEFINITION, "");

/** A broker that starts beside a backend; its definitions are written. */
async function makeParts(backend: ProbedBackend, deadlineMs = 10_000) {
  const { folder, records, events, observe } = recordsBeside(backend);
  const definitions = new ServiceDefinitionLoader(backend.dir.join("defs"));
  await writeServiceDefinition(definitions.directory, DEFINITION);
  const registry = new BackendRegistry(() => true);
  const signal = new CancelSource();
  const parts: AdoptParts = {
    folder,
    records,
    definitions,
    searchPath: "",
    registry,
    observe,
    signal,
    deadlineMs,
  };
  return { parts, folder, registry, events, signal };
}

function recordFor(endpoint: string, key: Partial<BackendRecord["key"]> = {}): BackendRecord {
  const own = ownRecord(endpoint, { command: COMMAND });
  return { ...own, key: { ...own.key, ...key } };
}

test("adoptBackends() registers what serves under its own version, and tells of the rest", async () => {
  await using backend = await answerProbes();
  const { parts, folder, registry, events } = await makeParts(backend);
  const live = recordFor(backend.endpoint);
  const second = recordFor(backend.endpoint, { version: "2.0.0" });
  const old = recordFor(backend.endpoint, { version: "0.9.0" });
  const undefinedService = recordFor(backend.endpoint, { service: "other" });
  for (const record of [live, second, old, undefinedService]) await folder.write(record);
  await adoptBackends(parts);
  const found = registry.list().map(({ key, adopted }) => [key.service, key.version, adopted]);
  assert.deepEqual(found.sort(), [["svc", "1.2.3", true], ["svc", "2.0.0", true]]);
  const kinds = events.map(({ kind }) => kind).sort();
  const [adopted, stale] = ["backend-adopted", "backend-record-stale"];
  assert.deepEqual(kinds, [adopted, adopted, stale, stale]);
  assert.equal(existsSync(folder.pathOf(old.key)), false);
  // Its definition may come back.
  assert.equal(existsSync(folder.pathOf(undefinedService.key)), true);
});

test("adoptBackends() adopts nobody whom the definition isolates in another way now", async () => {
  await using backend = await answerProbes();
  const { parts, folder, registry } = await makeParts(backend);
  const record = recordFor(backend.endpoint);
  await folder.write(record);
  await writeServiceDefinition(parts.definitions.directory, {
    ...DEFINITION,
    isolation: BrokerIsolation.PRIVATE_BROKER,
  });
  await adoptBackends(parts);
  assert.deepEqual(registry.list(), []);
  assert.equal(existsSync(folder.pathOf(record.key)), false);
});

test("adoptBackends() is held up by a silent backend no longer than its deadline, and leaves it on record", async () => {
  await using backend = await answerProbes();
  const endpoint = backend.dir.join("silent.sock");
  await using _silent = await transport.listen(endpoint, {}, () => {});
  const { parts, folder, registry, events } = await makeParts(backend, 50);
  const record = recordFor(endpoint);
  await folder.write(record);
  const startMs = performance.now();
  await adoptBackends(parts);
  assert.ok(performance.now() - startMs < 4_000);
  assert.deepEqual(registry.list(), []);
  assert.equal(existsSync(folder.pathOf(record.key)), true);
  assert.ok(events.every(({ kind }) => kind === "backend-record-stale"));
});

test("adoptBackends() looks at a bounded number of records, and at none without a folder", async () => {
  await using backend = await answerProbes();
  const { parts, folder, events } = await makeParts(backend);
  await adoptBackends(parts);
  assert.deepEqual(events, []);
  await mkdir(folder.path, { mode: 0o700 });
  const own = recordFor(backend.endpoint);
  const gone = { ...own.process, startMark: "1" };
  for (let index = 0; index < RECORDS_MAX + 5; index++) {
    const key = { ...own.key, version: `1.0.${index}` };
    await folder.write({ ...own, key, process: gone });
  }
  await adoptBackends(parts);
  assert.equal(events.length, RECORDS_MAX);
  assert.equal((await folder.list()).length, 5);
});

test("adoptBackends() ends with the broker that starts", async () => {
  await using backend = await answerProbes();
  const { parts, folder, signal } = await makeParts(backend);
  await folder.write(recordFor(backend.endpoint));
  signal.abort(new Error("stops"));
  await assert.rejects(adoptBackends(parts), /stops/);
});

test("adoptBackends() does not register what was found when its time was up", async () => {
  await using backend = await answerProbes();
  const { parts, registry, events } = await makeParts(backend, 20);
  const late = deferred<RegisteredBackend>();
  const folder = { list: () => Promise.resolve(["/run/a.json"]) };
  await adoptBackends({ ...parts, folder, records: { find: () => late.promise } });
  late.resolve(backendOf());
  await turns();
  assert.deepEqual([registry.list(), events], [[], []]);
});
