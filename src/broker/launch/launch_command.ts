import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { delimiter, isAbsolute, join, relative, sep } from "node:path";
import { osErrorText } from "../../host/os_error_text.ts";
import { quotedText } from "../../naming/quoted_text.ts";
import type { ServiceDefinition } from "../../wire/gen/broker_v1_service_def_pb.ts";
import { LaunchError } from "./launch_error.ts";
import { launchLabels } from "./launch_labels.ts";

/** What is started for a service. */
export interface LaunchCommand {
  /** The executable, without links: the binary, or the interpreter of a script. */
  readonly executable: string;
  /** What the executable is started with: for a script, the script is the last of them. */
  readonly args: readonly string[];
}

/**
 * What a definition says to start (protocol 6.10): its binary, which has to be below its own folder of versions.
 *
 * @param searchPath Where an interpreter that is only named is looked for, as `PATH` has it.
 * @throws {LaunchError} When nothing may be started.
 */
export async function launchCommand(
  definition: Pick<ServiceDefinition, "binaryPath" | "perVersionBinaryDir" | "labels">,
  searchPath: string,
): Promise<LaunchCommand> {
  const { binaryPath, perVersionBinaryDir } = definition;
  if (binaryPath === "") {
    throw new LaunchError("EmptyBinaryPath", "service definition binary_path must not be empty");
  }
  if (perVersionBinaryDir === "") {
    const detail = "service definition per_version_binary_dir must not be empty";
    throw new LaunchError("EmptyPerVersionBinaryDir", detail);
  }
  const { interpreter, args } = launchLabels(definition.labels);
  const root = await canonical("per_version_binary_dir", perVersionBinaryDir);
  const binary = await canonical("binary_path", binaryPath);
  if (!isBelow(root, binary)) {
    const detail = `binary path ${quotedText(binary)} is outside of ${quotedText(root)}`;
    throw new LaunchError("BinaryOutsideAllowRoot", detail);
  }
  if (interpreter === undefined) return { executable: binary, args };
  return { executable: await findInterpreter(interpreter, searchPath), args: [...args, binary] };
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function findInterpreter(interpreter: string, searchPath: string): Promise<string> {
  if (isAbsolute(interpreter)) return await canonical("label interpreter", interpreter);
  if (/[/\\]/.test(interpreter)) {
    const detail = `label interpreter ${quotedText(interpreter)} is neither absolute nor a bare name`;
    throw new LaunchError("Label", detail);
  }
  // A relative or empty element of PATH means another file in every working directory.
  for (const folder of searchPath.split(delimiter).filter(isAbsolute)) {
    const path = join(folder, interpreter);
    if (await isExecutable(path)) return await canonical("label interpreter", path);
  }
  throw new LaunchError("Label", `label interpreter ${quotedText(interpreter)} is not on PATH`);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not ours to run: the next folder may have it.
    return false;
  }
}

async function canonical(field: string, path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    const detail = `failed to canonicalize ${field} ${quotedText(path)}: ${osErrorText(cause)}`;
    throw new LaunchError("Canonicalize", detail, { cause });
  }
}
