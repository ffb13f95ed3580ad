import { hostValues } from "../host/host_values.ts";
import type { DirectoryAccess } from "../host/private_directory.ts";
import { serviceDefinitionDirectory } from "../naming/directories.ts";
import type { HostValues } from "../naming/platform.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import { writeServiceDefinition } from "./service_definition_file.ts";

/** Where a definition was written (protocol 4.5). */
export interface InstalledServiceDefinition {
  /** The file that was written. */
  readonly path: string;
  /** The directory it is in. */
  readonly dir: string;
  /** What decided on the directory: `flag:--service-def-dir`, `env:…` or `platform-default`. */
  readonly dirSource: string;
}

/** Where to write a definition. */
export interface InstallOptions {
  /** The directory, as the command line's `--service-def-dir` gives it. */
  readonly directory?: string | undefined;
  /** Where the process runs and for whom. */
  readonly host?: HostValues;
  /** How directories are kept private. */
  readonly access?: DirectoryAccess;
}

/**
 * Validates a service definition and writes it where brokers look for it (protocol 4.5).
 *
 * In Deno it requires `--allow-read` and `--allow-write` for the directory, and `--allow-env`.
 *
 * @param definition The definition.
 * @param options Where to write it.
 * @throws {ServiceDefinitionError} When it is not valid or cannot be written.
 */
export async function installServiceDefinition(
  definition: ServiceDefinition,
  options: InstallOptions = {},
): Promise<InstalledServiceDefinition> {
  const { path: dir, source } = serviceDefinitionDirectory(options.host ?? hostValues(), options.directory);
  return { path: await writeServiceDefinition(dir, definition, options.access), dir, dirSource: source };
}
