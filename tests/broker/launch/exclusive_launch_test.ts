import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import test from "node:test";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { RecordFolder } from "../../../src/broker/adoption/record_folder.ts";
import { RecordedBackends } from "../../../src/broker/adoption/recorded_backends.ts";
import type { BackendRequest } from "../../../src/broker/backend_source.ts";
import type { RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import { ExclusiveLaunch } from "../../../src/broker/launch/exclusive_launch.ts";
import { launchCommand } from "../../../src/broker/launch/launch_command.ts";
import { SpawnLockError } from "../../../src/broker/launch/spawn_lock_error.ts";
import { makeDefinition } from "../../service/_definition.ts";
import { type Deferred, deferred, until } from "../../support/waiting.ts";
import { transport } from "../../transport/_transport.ts";
import { answerProbes, hasher, ownBinary, type ProbedBackend } from "../_probed_backend.ts";
import { backendOf } from "../_backends.ts";
import { ownRecord } from "../adoption/_recorded.ts";

const DEFINITION = makeDefinition({ binaryPath: ownBinary, perVersionBinaryDir: dirname(ownBinary) });
const COMMAND = await launchCommand(DEFINITION, "");

function request(fields: Partial<BackendRequest> = {}): BackendRequest {
  const key = { instanceId: "shared", service: "svc", version: "1.2.3" };
  return {
    key,
    definition: DEFINITION,
    frame: { deadlineUnixMs: 0n, traceparent: "", tracestate: "" },
    ...fields,
  };
}

/** The launches of one broker, which all brokers of a test share the locks with. */
class Launches {
  readonly spawned: Deferred<RegisteredBackend>[] = [];
  readonly abort = new CancelSource();
  readonly folder: RecordFolder;
  readonly records: RecordedBackends;
  /** How often the lock was not free. */
  timesHeld = 0;
  readonly #launch: ExclusiveLaunch;

  constructor({ dir }: ProbedBackend, socket: string, ceilingMs = 30_000) {
    this.folder = new RecordFolder(dir.join(socket));
    this.records = new RecordedBackends({ transport, hasher, folder: this.folder, observe: () => {} });
    this.#launch = new ExclusiveLaunch({
      transport: {
        lockFile: (fd) => {
          const outcome = transport.lockFile(fd);
          if (outcome.kind === "held") this.timesHeld++;
          return outcome;
        },
      },
      lockFolder: dir.join("locks"),
      folder: this.folder,
      records: this.records,
      searchPath: "",
      clock: () => performance.now(),
      signal: this.abort,
      ceilingMs,
      spawn: () => {
        const result = deferred<RegisteredBackend>();
        this.spawned.push(result);
        return result.promise;
      },
    });
  }

  launch(fields?: Partial<BackendRequest>): Promise<RegisteredBackend> {
    return this.#launch.launch(request(fields));
  }

  /** The spawned backend, which is this process, serves and is on record. */
  async serve({ endpoint }: ProbedBackend): Promise<RegisteredBackend> {
    const { identity, process } = ownRecord(endpoint, { command: COMMAND });
    const backend = backendOf({}, { backendPipe: endpoint, identity, process });
    await this.records.keep(backend, COMMAND);
    return backend;
  }
}

async function isSpawning(launches: Launches, count = 1): Promise<void> {
  await until("a backend is spawned", () => launches.spawned.length === count);
}

for (const socket of ["a.sock", "b.sock"]) {
  const whose = socket === "a.sock" ? "the same" : "another";

  test(`a broker of ${whose} socket waits for the launch that is under way, and uses what it brings`, async () => {
    await using backend = await answerProbes();
    const [first, second] = [new Launches(backend, "a.sock"), new Launches(backend, socket)];
    const launching = first.launch();
    await isSpawning(first);
    const waiting = second.launch();
    await until("the second waits", () => second.timesHeld > 0);
    first.spawned[0]!.resolve(await first.serve(backend));
    assert.equal((await launching).adopted, undefined);
    const found = await waiting;
    assert.deepEqual([found.adopted, found.backendPipe], [true, backend.endpoint]);
    assert.deepEqual(second.spawned, []);
    const locks = backend.dir.join("locks");
    assert.equal(statSync(locks).mode & 0o777, 0o700);
    assert.equal(readdirSync(locks).length, 1);
  });
}

test("a broker launches itself when the launch that it waited for failed", async () => {
  await using backend = await answerProbes();
  const [first, second] = [new Launches(backend, "a.sock"), new Launches(backend, "b.sock")];
  const launching = first.launch();
  await isSpawning(first);
  const waiting = second.launch();
  await until("the second waits", () => second.timesHeld > 0);
  first.spawned[0]!.reject(new Error("no luck"));
  await assert.rejects(launching, /no luck/);
  await isSpawning(second);
  const launched = backendOf();
  second.spawned[0]!.resolve(launched);
  assert.equal(await waiting, launched);
});

test("a broker that waits for another one's launch takes nothing that its own definition does not mean", async () => {
  await using backend = await answerProbes();
  const [first, second] = [new Launches(backend, "a.sock"), new Launches(backend, "b.sock")];
  const launching = first.launch();
  await isSpawning(first);
  const waiting = second.launch({ definition: { ...DEFINITION, labels: { args: "serve" } } });
  await until("the second waits", () => second.timesHeld > 0);
  first.spawned[0]!.resolve(await first.serve(backend));
  await launching;
  await isSpawning(second);
  second.spawned[0]!.resolve(backendOf());
  await waiting;
});

test("a broker uses what is on its own record without waiting; other versions are launched beside each other", async () => {
  await using backend = await answerProbes();
  const launches = new Launches(backend, "a.sock");
  await launches.serve(backend);
  assert.equal((await launches.launch()).adopted, true);
  const key = (version: string) => ({ key: { instanceId: "shared", service: "svc", version } });
  const others = [launches.launch(key("2.0.0")), launches.launch(key("3.0.0"))];
  await isSpawning(launches, 2);
  for (const result of launches.spawned) result.resolve(backendOf());
  await Promise.all(others);
});

test("a broker gives up waiting at its ceiling, and when it stops", async () => {
  await using backend = await answerProbes();
  const [first, late] = [new Launches(backend, "a.sock"), new Launches(backend, "b.sock", 20)];
  const launching = first.launch();
  await isSpawning(first);
  const isHeld = (error: unknown) => error instanceof SpawnLockError && error.kind === "AlreadyLocked";
  await assert.rejects(late.launch(), isHeld);
  const stopping = new Launches(backend, "c.sock");
  const stopped = assert.rejects(stopping.launch(), /stops/);
  await until("it waits", () => stopping.timesHeld > 0);
  stopping.abort.abort(new Error("stops"));
  await stopped;
  first.spawned[0]!.resolve(backendOf());
  await launching;
});
