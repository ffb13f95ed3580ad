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
    const directory = line.value("--service-def-dir");
    const { path, dir, dirSource } = await installServiceDefinition(definition, { directory });
    writeOutput(
      line.has("--json")
        ? renderSortedJson({ dir, dir_source: dirSource, path, service_name: definition.serviceName })
        : `installed ${path} (service-definition dir source: ${dirSource})`,
    );
    return 0;
  } catch (error) {
    const isDefinition = error instanceof ServiceDefinitionError;
    const remedy = isDefinition && error.kind === "Io"
      ? "; choose another directory with --service-def-dir"
      : "";
    writeError(`servicedef install failed: ${isDefinition ? error.detail : withoutCode(error)}${remedy}`);
    return 1;
  }
}

/** The definition that the options describe; whether it is a valid one is not looked at. */
export function definitionOf(line: CommandLine): ServiceDefinition {
  return create(ServiceDefinitionSchema, {
    serviceName: required(line, "--service"),
    binaryPath: required(line, "--binary-path"),
    isolation: isolationOf(line.value("--isolation") ?? "private"),
    explicitInstance: line.value("--explicit-instance") ?? "",
    perVersionBinaryDir: line.value("--per-version-binary-dir") ?? "",
    minVersion: line.value("--min-version") ?? "",
    versionAllowList: line.values("--allow-version"),
  });
}

function required(line: CommandLine, option: string): string {
  const value = line.value(option);
  if (value === undefined) throw new UsageError(`servicedef install needs ${option}`);
  return value;
}

function isolationOf(word: string): BrokerIsolation {
  const isolation = ISOLATIONS.get(word);
  if (isolation !== undefined) return isolation;
  throw new UsageError(`--isolation must be private, shared or explicit, seen ${quotedText(word)}`);
}
