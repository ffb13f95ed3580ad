import { renderSortedJson, type SortedJsonObject } from "../broker/admin/sorted_json.ts";
import { withoutCode } from "../client/client_error.ts";
import { BrokerError } from "../errors.ts";
import { hostValues } from "../host/host_values.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import { adminCommand, adminFailure } from "./admin_command.ts";
import type { OperatorQuestion } from "./admin_question.ts";
import { type AskBroker, askBroker } from "./ask_broker.ts";
import { bundleArchive } from "./diagnose/bundle_archive.ts";
import { bundleContents, type BundleSources } from "./diagnose/bundle_contents.ts";
import { hostSummary, lifecycleEvents, manifestRows, redactionSalt } from "./diagnose/host_facts.ts";
import { writeNewFile } from "./diagnose/new_file.ts";
import { Redactor } from "./diagnose/redactor.ts";
import { writeBody, writeError } from "./stdio.ts";

/** What a written bundle says of itself, where one that is only described says `metadata-only`. */
const WRITTEN = { created: true, mode: "archive" };

/**
 * `diagnose`: describes a bundle, and with `--output` writes it (protocol 6.11).
 *
 * The broker is asked what it knows and writes nothing: a daemon does not write where a peer tells it to.
 *
 * @param output The file to write; without it the broker's own description is printed.
 * @returns The exit code: 1 when the broker could not be asked or the file could not be written.
 */
export async function diagnoseCommand(
  question: OperatorQuestion,
  output: string | undefined,
  endpoint: string | undefined,
): Promise<number> {
  if (output === undefined) return await adminCommand(question, endpoint);
  const ask = askBroker(endpoint);
  let description: SortedJsonObject;
  let sources: Omit<BundleSources, "manifests" | "host" | "events">;
  try {
    description = jsonObject("diagnose", await say(ask, question));
    sources = await askAll(ask, question);
  } catch (error) {
    writeError(endpoint === undefined ? failure(error) : adminFailure(endpoint, error));
    return 1;
  }
  try {
    const [manifests, events, host] = [await manifestRows(), await lifecycleEvents(), await hostSummary()];
    const redactor = new Redactor({ home: hostValues().home, salt: await redactionSalt() });
    const files = bundleContents({ ...sources, manifests, events, host }, redactor);
    await writeNewFile(output, await bundleArchive(files, Date.now()));
  } catch (error) {
    writeError(failure(error));
    return 1;
  }
  const bundle = { ...description["bundle"] as SortedJsonObject, ...WRITTEN };
  await writeBody(renderSortedJson({ ...description, bundle, output }));
  return 0;
}

async function askAll(ask: AskBroker, question: OperatorQuestion) {
  const verb = (asked: AdminVerb) => say(ask, { ...question, verb: asked, json: true, outputPath: "" });
  return {
    status: await verb(AdminVerb.STATUS),
    dump: jsonObject("dump", await verb(AdminVerb.DUMP)),
    config: await verb(AdminVerb.CONFIG),
    metrics: await verb(AdminVerb.METRICS),
  };
}

async function say(ask: AskBroker, question: OperatorQuestion): Promise<string> {
  const { body, exitCode } = await ask(question);
  if (exitCode === 0) return body;
  const seen = `the broker answered admin verb ${question.verb} with exit code ${exitCode}`;
  throw new BrokerError("protocol", `Cannot make a bundle: ${seen}`);
}

function jsonObject(command: string, body: string): SortedJsonObject {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as SortedJsonObject;
    }
  } catch {
    // What is no JSON is no object either.
  }
  throw new BrokerError(
    "protocol",
    `Cannot make a bundle: the broker's answer to ${command} is no JSON object`,
  );
}

function failure(error: unknown): string {
  return `diagnose failed: ${withoutCode(error)}`;
}
