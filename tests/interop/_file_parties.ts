import type { DescMessage } from "@bufbuild/protobuf";
import { CacheManifestSchema, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { fromGolden, type GoldenMessage, toGolden } from "../wire/golden_message.ts";
import type { PeerEvent } from "./_lab.ts";
import { isRust, type Labs, type Party } from "./_probers.ts";

/** A file or folder and what to do with it; `message` is in the form of the golden files. */
export interface FileStep {
  readonly act: string;
  readonly path?: string;
  readonly service?: string;
  readonly message?: GoldenMessage;
}

/** What came of a step. */
export type FileOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };

const PATH_FLAGS: Readonly<Record<string, string>> = {
  "def-write": "--dir",
  "def-read": "--dir",
  "manifest-write": "--registry",
  "manifest-list": "--registry",
};
const READ_SCHEMAS: Readonly<Record<string, DescMessage>> = {
  "def-read": ServiceDefinitionSchema,
  "identity-read": DaemonProcessSchema,
  "manifest-read": CacheManifestSchema,
};

/** Lets a party take steps, in order. */
export async function takeSteps(
  labs: Labs,
  party: Party,
  steps: readonly FileStep[],
): Promise<FileOutcome[]> {
  const lab = labs.of(party);
  if (!isRust(party)) return (await lab.runModule(party, "files.ts", steps)).map(outcomeOf);
  const outcomes: FileOutcome[] = [];
  for (const step of steps) {
    const [program, act] = step.act === "def-write"
      ? ["broker", "def"] as const
      : ["files", step.act] as const;
    const [seen] = await lab.runPeer(program, act, ...flagsOf(step));
    outcomes.push(comparable(step, outcomeOf(seen!)));
  }
  return outcomes;
}

function flagsOf({ act, path, service, message }: FileStep): string[] {
  return [
    ...(path === undefined ? [] : [PATH_FLAGS[act] ?? "--path", path]),
    ...(service === undefined ? [] : ["--service", service]),
    ...(message === undefined ? [] : ["--json", JSON.stringify(message)]),
    ...(act === "manifest-write" && message?.["host"] === undefined ? ["--this-host"] : []),
  ];
}

function outcomeOf(seen: PeerEvent): FileOutcome {
  if (seen.event === "error" || seen.event === "exit") return { ok: false, error: String(seen["error"]) };
  return { ok: true, value: seen["value"] };
}

/** The fields that a version does not know are unset, as they are in a message of this project. */
function comparable(step: FileStep, outcome: FileOutcome): FileOutcome {
  const schema = READ_SCHEMAS[step.act];
  if (schema === undefined || !outcome.ok || outcome.value === null) return outcome;
  return { ok: true, value: toGolden(schema, fromGolden(schema, outcome.value as GoldenMessage)) };
}
