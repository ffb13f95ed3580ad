// run-in: deno
// deadline-s: 300
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import process from "node:process";
import { after, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { connectLocalSocket, connectToBackend, sendAdminRequest, serveBroker } from "../../mod.ts";
import { BrokerMetrics } from "../../src/broker/broker_metrics.ts";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { requireServed, startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { WAIT } from "../support/waiting.ts";
import { parseByPrometheus, type ParsedFamily } from "./_prometheus.ts";

const PREFIX = "running_process_broker_v1_";
const FROZEN = [
  ["hello", "counter"],
  ["hello_duration_seconds", "histogram"],
  ["active_backends", "gauge"],
  ["spawn_attempts", "counter"],
  ["spawn_budget_remaining", "gauge"],
  ["connections_open", "gauge"],
  ["fd_usage_ratio", "gauge"],
  ["uptime_seconds", "gauge"],
];
const OURS = [
  ["handoff_attempts", "counter"],
  ["handoff_outcomes", "counter"],
  ["handoff_duration_seconds", "histogram"],
  ["refusals", "counter"],
  ["limit_hits", "counter"],
];

const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());

/** What Prometheus reads of a broker now. */
async function scrape(endpoint: string): Promise<ParsedFamily[]> {
  const { body, contentType } = await sendAdminRequest(endpoint, { verb: AdminVerb.METRICS }, WAIT);
  assert.equal(contentType, "application/openmetrics-text");
  return parseByPrometheus(body);
}

/** A sample's value; 0 when there is none. */
function valueOf(families: ParsedFamily[], name: string, labels: Record<string, string> = {}): number {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  for (const { samples } of families) {
    for (const [seen, of, value] of samples) {
      if (seen === PREFIX + name && JSON.stringify(Object.entries(of).sort()) === wanted) return value;
    }
  }
  return 0;
}

function familiesOf(families: ParsedFamily[]): string[][] {
  // The reference declares counters without samples by their samples' name.
  return families.map(({ name, type }) => [name.slice(PREFIX.length).replace(/_total$/, ""), type]);
}

test("Prometheus reads the metrics of a broker to which nothing has happened", async () => {
  await using broker = await startLocalBroker(served);
  const families = await scrape(broker.endpoint);
  assert.deepEqual(familiesOf(families), FROZEN);
  assert.equal(valueOf(families, "active_backends", { service: SERVICE }), 1);
  assert.equal(valueOf(families, "connections_open"), 1, "the one that asks");
  const ratio = valueOf(families, "fd_usage_ratio");
  assert.ok(process.platform === "linux" ? ratio > 0 && ratio < 1 : ratio === 0, String(ratio));
});

/** Checks by how much samples have grown. */
function requireGrown(
  before: ParsedFamily[],
  families: ParsedFamily[],
  grown: [name: string, labels: Record<string, string>, by: number][],
): void {
  for (const [name, labels, by] of grown) {
    const grownBy = valueOf(families, name, labels) - valueOf(before, name, labels);
    assert.equal(grownBy, by, `${name} ${JSON.stringify(labels)}`);
  }
}

test("Hellos, handoffs and refusals move their metrics", async () => {
  await using broker = await startLocalBroker(served);
  const before = await scrape(broker.endpoint);
  assert.equal(await requireServed(broker), "handle-passed");
  await broker.events.nth("handoff-completed", 1);
  const wrong = { service: "nobody", version: "1.0.0", broker: broker.endpoint };
  await assert.rejects(connectToBackend(wrong), /service definition was not found/);
  const families = await scrape(broker.endpoint);
  requireGrown(before, families, [
    ["hello_total", { service: SERVICE, version: VERSION, outcome: "negotiated" }, 1],
    ["hello_total", { service: "other", version: "other", outcome: "service_unknown" }, 1],
    ["hello_duration_seconds_count", { service: SERVICE }, 1],
    ["hello_duration_seconds_bucket", { service: SERVICE, le: "+Inf" }, 1],
    ["handoff_attempts_total", {}, 1],
    ["handoff_outcomes_total", { stage: "completed", reason: "none" }, 1],
    ["handoff_duration_seconds_count", {}, 1],
    ["refusals_total", { code: "service_unknown" }, 1],
  ]);
  assert.deepEqual(familiesOf(families), [...FROZEN, ...OURS.filter(([name]) => name !== "limit_hits")]);
});

test("limits that are met are counted by their name", async () => {
  await using hasty = await startLocalBroker(served, { helloRate: 3 });
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => hasty.connect()));
  for (const outcome of outcomes) if (outcome.status === "fulfilled") outcome.value.close();
  const refused = outcomes.filter(({ status }) => status === "rejected").length;
  assert.ok(refused > 0, "40 Hellos at once are more than 3 a second");
  requireGrown([], await scrape(hasty.endpoint), [
    ["refusals_total", { code: "rate_limited" }, refused],
    ["limit_hits_total", { limit: "hello-rate" }, refused],
  ]);

  await using full = await startLocalBroker(served, { connectionsPerProcessMax: 2 });
  const silent = [await connectLocalSocket(full.endpoint), await connectLocalSocket(full.endpoint)];
  await assert.rejects(full.connect(), /process has too many open connections; retry shortly/);
  const families = await scrape(full.endpoint);
  for (const stream of silent) stream.close();
  requireGrown([], families, [
    // The refused client and the one that asks.
    ["limit_hits_total", { limit: "connections-per-process" }, 2],
    ["refusals_total", { code: "rate_limited" }, 1],
    ["connections_open", {}, 3],
  ]);
  assert.deepEqual(familiesOf(families).slice(FROZEN.length), [["refusals", "counter"], [
    "limit_hits",
    "counter",
  ]]);
});

test("launches and what is left of their budget are counted", async () => {
  await using dir = await makeTempDir();
  await defineFailing(dir);
  const endpoint = dir.join("br.sock");
  const broker = await serveBroker({ endpoint, launch: true, serviceDefinitionDir: dir.join("defs") });
  try {
    assert.deepEqual(familiesOf(await scrape(endpoint)), FROZEN);
    await assert.rejects(connectToBackend({ service: "failing", version: "1.0.0", broker: endpoint }));
    const families = await scrape(endpoint);
    const labels = { service: "failing", version: "1.0.0" };
    assert.ok(valueOf(families, "spawn_attempts_total", { ...labels, outcome: "failed" }) >= 1);
    const left = families.find(({ name }) => name === `${PREFIX}spawn_budget_remaining`);
    assert.deepEqual(left?.samples.map(([, of]) => of), [labels]);
  } finally {
    await broker.close({ drainDeadlineMs: 0 });
  }
});

test("names that only a hostile client or an odd service has are read back as they are", () => {
  const metrics = new BrokerMetrics();
  const odd = { service: 'a"b\\c\nd', version: "{le=1}" };
  metrics.count({ kind: "backend-launched", ...odd, pid: 1, durationUs: 1 });
  const families = parseByPrometheus(
    metrics.render({ connectionsOpen: 0, fdUsageRatio: 1 / 3, uptimeMs: 1e15 }, new Map([[odd.service, 1]])),
  );
  assert.equal(valueOf(families, "spawn_attempts_total", { ...odd, outcome: "success" }), 1);
  assert.equal(valueOf(families, "active_backends", { service: odd.service }), 1);
  assert.equal(valueOf(families, "fd_usage_ratio"), 1 / 3);
});

test("the parser is a strict one: what is not OpenMetrics is refused", () => {
  for (const text of ["# TYPE a counter\na 1\n# EOF\n", "# TYPE a gauge\na 1\n", "a{b=c} 1\n# EOF\n"]) {
    assert.throws(() => parseByPrometheus(text), /ValueError/, text);
  }
});

/** A service whose backend ends before it serves. */
async function defineFailing(dir: TempDir): Promise<void> {
  const folder = dir.join("versions");
  mkdirSync(folder, 0o700);
  copyFileSync("/bin/false", `${folder}/failing`);
  const fields = { serviceName: "failing", binaryPath: `${folder}/failing`, perVersionBinaryDir: folder };
  await writeServiceDefinition(dir.join("defs"), create(ServiceDefinitionSchema, fields));
}
