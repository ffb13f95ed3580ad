import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import test from "node:test";
import type { BackendRecord } from "../../../src/broker/adoption/backend_record.ts";
import { RecordFolder } from "../../../src/broker/adoption/record_folder.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { BrokerError } from "../../../src/errors.ts";
import { leaveStaleSocket } from "../../faults/stale_socket.ts";
import { deferred } from "../../support/waiting.ts";
import { transport } from "../../transport/_transport.ts";
import { answerProbes, otherPid, ownIdentity } from "../_probed_backend.ts";
import { backendOf } from "../_backends.ts";
import { OWN_COMMAND, ownRecord, recordsBeside } from "./_recorded.ts";

const never = new CancelSource();
const wanted = () => Promise.resolve(OWN_COMMAND);

test("a recorded backend that serves as it did is found, adopted and stays on record", async () => {
  await using backend = await answerProbes();
  const { folder, records, events } = recordsBeside(backend);
  const record = ownRecord(backend.endpoint, { handoffEndpoint: "/run/ho.sock" });
  await folder.write(record);
  const path = folder.pathOf(record.key);
  const found = await records.find(path, wanted, never);
  assert.deepEqual(found, {
    key: record.key,
    daemonVersion: "1.2.3",
    backendPipe: backend.endpoint,
    serverCapabilities: 0n,
    handoffEndpoint: "/run/ho.sock",
    adopted: true,
    identity: record.identity,
    process: record.process,
  });
  assert.deepEqual([existsSync(path), events], [true, []]);
  assert.equal(await records.find(`${folder.path}/none.json`, wanted, never), undefined);
  assert.deepEqual(events, []);
});

const STALE: Readonly<
  Record<string, [fields: (own: BackendRecord) => Partial<BackendRecord>, seen: RegExp]>
> = {
  "of another boot": [
    (own) => ({ identity: ownIdentity(own.endpoint, { bootId: "before" }) }),
    /another boot/,
  ],
  "of another process that had the number before": [
    (own) => ({ process: { ...own.process, startMark: "1" } }),
    /has ended/,
  ],
  "of a process with another number": [
    (own) => {
      const identity = ownIdentity(own.endpoint, { pid: otherPid });
      return { identity, process: { pid: otherPid, startMark: "1" } };
    },
    /has ended/,
  ],
  "that was started as something else": [
    () => ({ command: { ...OWN_COMMAND, args: ["serve", "--old"] } }),
    /starts something else now/,
  ],
  "of another executable": [
    (own) => ({ identity: ownIdentity(own.endpoint, { exeHash: new Uint8Array(32).fill(1) }) }),
    /not the one that was announced/,
  ],
};

for (const [what, [fields, seen]] of Object.entries(STALE)) {
  test(`a record ${what} goes, and the socket stays that somebody serves`, async () => {
    await using backend = await answerProbes();
    const { folder, records, events } = recordsBeside(backend);
    const own = ownRecord(backend.endpoint);
    const record = { ...own, ...fields(own) };
    await folder.write(record);
    const path = folder.pathOf(record.key);
    assert.equal(await records.find(path, wanted, never), undefined);
    assert.deepEqual([existsSync(path), existsSync(backend.endpoint)], [false, true]);
    const [event] = events;
    assert.ok(event?.kind === "backend-record-stale" && events.length === 1);
    assert.deepEqual([event.record, event.service, event.version], [path, "svc", "1.2.3"]);
    assert.match(event.detail, seen);
  });
}

test("a record whose process ended goes with its sockets, one that is unreadable goes by itself", async () => {
  await using backend = await answerProbes();
  const { folder, records, events } = recordsBeside(backend);
  const [endpoint, handoffEndpoint] = [backend.dir.join("dead.sock"), backend.dir.join("dead-ho.sock")];
  for (const path of [endpoint, handoffEndpoint]) await leaveStaleSocket(path);
  const own = ownRecord(endpoint, { handoffEndpoint });
  const record = { ...own, process: { ...own.process, startMark: "1" } };
  await folder.write(record);
  await records.find(folder.pathOf(record.key), wanted, never);
  writeFileSync(`${folder.path}/garbage.json`, "{");
  await records.find(`${folder.path}/garbage.json`, wanted, never);
  const paths = [endpoint, handoffEndpoint, folder.pathOf(record.key), `${folder.path}/garbage.json`];
  assert.deepEqual(paths.map((path) => existsSync(path)), [false, false, false, false]);
  assert.equal(events.length, 2);
});

test("a record that nothing is proved of stays: its definition cannot be read, or time is up", async () => {
  await using backend = await answerProbes();
  const { folder, records, events } = recordsBeside(backend);
  const record = ownRecord(backend.endpoint);
  await folder.write(record);
  const path = folder.pathOf(record.key);
  const failing = () => Promise.reject(new BrokerError("protocol", "no definition"));
  assert.equal(await records.find(path, failing, never), undefined);
  const late = new CancelSource();
  late.abort(new BrokerError("deadline", "too late"));
  assert.equal(await records.find(path, wanted, late), undefined);
  const details = events.map((event) => event.kind === "backend-record-stale" ? event.detail : event.kind);
  assert.deepEqual(details, ["[protocol] no definition", "[deadline] too late"]);
  assert.equal(existsSync(path), true);
  await records.find(path, () => Promise.resolve({ unwanted: "gone" }), never);
  assert.equal(existsSync(path), false);
});

test("a backend that was asked and did not answer in time stays on record", async () => {
  await using backend = await answerProbes();
  const { folder, records } = recordsBeside(backend);
  const endpoint = backend.dir.join("silent.sock");
  const asked = deferred<void>();
  await using _silent = await transport.listen(endpoint, {}, (stream) => {
    void stream.read().then(() => asked.resolve(), () => {});
  });
  const record = ownRecord(endpoint);
  await folder.write(record);
  const late = new CancelSource();
  const finding = records.find(folder.pathOf(record.key), wanted, late);
  await asked.promise;
  late.abort(new BrokerError("deadline", "too late"));
  assert.equal(await finding, undefined);
  assert.equal(existsSync(folder.pathOf(record.key)), true);
});

test("what another broker has on record is not removed", async () => {
  await using backend = await answerProbes();
  const { records, events } = recordsBeside(backend);
  const others = new RecordFolder(backend.dir.join("other.sock"));
  const record = ownRecord(backend.endpoint, { command: { ...OWN_COMMAND, args: [] } });
  await others.write(record);
  assert.equal(await records.find(others.pathOf(record.key), wanted, never), undefined);
  assert.equal(existsSync(others.pathOf(record.key)), true);
  assert.equal(events.length, 1);
});

test("a backend that cannot be recorded serves all the same, and that is told", async () => {
  await using backend = await answerProbes();
  const { folder, records, events } = recordsBeside(backend);
  mkdirSync(folder.path, { mode: 0o755 });
  const fields = { backendPipe: backend.endpoint, identity: backend.identity };
  await records.keep(backendOf({}, fields), OWN_COMMAND);
  assert.deepEqual(events.map(({ kind }) => kind), ["backend-record-unwritten"]);
});
