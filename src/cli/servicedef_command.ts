import { create } from "@bufbuild/protobuf";
import { renderSortedJson } from "../broker/admin/sorted_json.ts";
import { withoutCode } from "../client/client_error.ts";
import { quotedText } from "../naming/quoted_text.ts";
import { installServiceDefinition } from "../service/install_service_definition.ts";
import { ServiceDefinitionError } from "../service/service_definition_error.ts";
import {
  BrokerIsolation,
  type ServiceDefinition,
  ServiceDefinitionSchema,
} from "../wire/gen/broker_v1_service_def_pb.ts";
import { type CommandLine, UsageError } from "./command_line.ts";
import { writeError, writeOutput } from "./stdio.ts";

const ISOLATIONS: ReadonlyMap<string, BrokerIsolation> = new Map([
  ["private", BrokerIsolation.PRIVATE_BROKER],
  ["shared", BrokerIsolation.SHARED_BROKER],
  ["explicit", BrokerIsolation.EXPLICIT_INSTANCE],
]);

/** `servicedef install` (protocol 4.5). @returns The exit code. */
export async function servicedefCommand(line: CommandLine): Promise<number> {
  const subcommand = line.argument(1);
  if (subcommand === undefined) throw new UsageError("servicedef needs a subcommand: install");
  if (subcommand !== "install") {
    throw new UsageError(`unknown servicedef subcommand ${quotedText(subcommand)}, wanted install`);
  }
  const definition = definitionOf(line);
  try {
    const directory = first(line, "--service-def-dir");
    const { path, dir, dirSource } = await installServiceDefinition(definition, { directory });
    writeOutput(
      line.has("--json")
        ? renderSortedJson({ dir, dir_source: dirSource, path, service_name: definition.serviceName })
        : `installed ${path} (service-definition dir source: ${dirSource})`,
    );
    return 0;
  } catch (error) {
    const detail = error instanceof ServiceDefinitionError ? error.detail : withoutCode(error);
    writeError(`servicedef install failed: ${detail}`);
    return 1;
  }
}

/** The definition that the options describe; whether it is a valid one is not looked at. */
export function definitionOf(line: CommandLine): ServiceDefinition {
  return create(ServiceDefinitionSchema, {
    serviceName: required(line, "--service"),
    binaryPath: required(line, "--binary-path"),
    isolation: isolationOf(first(line, "--isolation") ?? "private"),
    explicitInstance: first(line, "--explicit-instance") ?? "",
    perVersionBinaryDir: first(line, "--per-version-binary-dir") ?? "",
    minVersion: first(line, "--min-version") ?? "",
    versionAllowList: line.values("--allow-version"),
  });
}

function required(line: CommandLine, option: string): string {
  const value = first(line, option);
  if (value === undefined) throw new UsageError(`servicedef install needs ${option}`);
  return value;
}

/** An option with nothing behind it counts as not given, as in the reference. */
function first(line: CommandLine, option: string): string | undefined {
  return line.values(option)[0];
}

function isolationOf(word: string): BrokerIsolation {
  const isolation = ISOLATIONS.get(word);
  if (isolation !== undefined) return isolation;
  throw new UsageError(`--isolation must be private, shared or explicit, seen ${quotedText(word)}`);
}
