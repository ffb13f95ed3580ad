import assert from "node:assert/strict";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import type { Runtime } from "../support/runtimes.ts";
import { SERVICE } from "../support/topology.ts";
import type { Lab } from "./_lab.ts";
import type { BrokerPart } from "./_parts.ts";

/** What an operator asks; the verb by the reference's name on the command line. */
export interface Question {
  readonly verb: string;
  readonly json?: boolean;
  readonly output?: string;
}

/** A broker's answer, as far as it does not depend on the moment. */
export interface Answer {
  readonly kind: number;
  readonly exitCode: number;
  readonly contentType: string;
  readonly body: string;
}

/** An AdminReply as the Rust operator prints it. */
interface RustReply {
  readonly kind: number;
  readonly exit_code: number;
  readonly content_type: string;
  readonly body: string;
}

/** Values that differ between two brokers or two moments; their types are still compared. */
const MOMENTARY = new Set([
  "broker_instance",
  "broker_pid",
  "connections_open",
  "generated_at_unix_ms",
  "inodes_free",
  "inodes_used",
  "pid",
  "service_definition_dir",
  "uptime_seconds",
  "used_ratio",
]);

/** Asks everything with the reference's operator. */
export async function askByRust(
  lab: Lab,
  broker: BrokerPart,
  questions: readonly Question[],
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { verb, json, output } of questions) {
    const flags = ["--broker", broker.endpoint, "--verb", verb, "--service", SERVICE];
    if (json) flags.push("--json");
    if (output !== undefined) flags.push("--output", output);
    const seen = await lab.askPeer("client", "admin", ...flags);
    assert.equal(seen.event, "admin", `${verb}: ${JSON.stringify(seen)}`);
    const { kind, exit_code, content_type, body } = seen["reply"] as RustReply;
    answers.push(lasting({ kind, exitCode: exit_code, contentType: content_type, body }));
  }
  return answers;
}

/** Asks everything with our operator. */
export async function askByOurs(
  lab: Lab,
  runtime: Runtime,
  broker: BrokerPart,
  questions: readonly Question[],
): Promise<Answer[]> {
  const requests = questions.map(({ verb, json = false, output = "" }) => ({
    verb: AdminVerb[verb.toUpperCase().replaceAll("-", "_") as keyof typeof AdminVerb],
    json,
    serviceName: SERVICE,
    outputPath: output,
  }));
  const events = await lab.runModule(runtime, "admin.ts", { broker: broker.endpoint, requests });
  return events.map((event) => {
    assert.equal(event.event, "reply", JSON.stringify(event));
    const { kind, exitCode, contentType, body } = event as unknown as Answer;
    return lasting({ kind, exitCode, contentType, body });
  });
}

function lasting(answer: Answer): Answer {
  const { contentType, body } = answer;
  if (contentType === "application/json") return { ...answer, body: lastingJson(body) };
  if (contentType === "application/openmetrics-text") return { ...answer, body: metricFamilies(body) };
  return { ...answer, body: body.replace(/^broker_instance: .*$/m, "broker_instance: ...") };
}

/** Keeps the order of the keys, which is part of the answer. */
function lastingJson(body: string): string {
  const replace = (key: string, value: unknown) => {
    // The reference records none.
    if (key === "recent_lifecycle_events" && Array.isArray(value)) return "(list)";
    return MOMENTARY.has(key) ? typeName(value) : value;
  };
  return JSON.stringify(JSON.parse(body, replace), null, 1);
}

/** A setting is an object of its value and its source. */
function typeName(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return `(${typeof value})`;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, typeName(part)]));
}

/** The families with their types and the end; which samples there are depends on what happened. */
function metricFamilies(body: string): string {
  return body.split("\n").filter((line) => line.startsWith("#")).join("\n");
}
