import { writeFileAtomically } from "../host/atomic_file.ts";
import { hostPlatform } from "../host/host_platform.ts";
import { isNotFound, osErrorCode, osErrorText } from "../host/os_error_text.ts";
import { type DirectoryAccess, directoryAccess } from "../host/private_directory.ts";
import { joinPath } from "../naming/join_path.ts";
import { requireName, serviceNameFault } from "../naming/validate_name.ts";
import { type ServiceDefinition, ServiceDefinitionSchema } from "../wire/gen/broker_v1_service_def_pb.ts";
import { encodeMessage, tryDecodeStrict } from "../wire/strict_decode.ts";
import { WireDecodeError } from "../wire/wire_decode_error.ts";
import { BrokerError } from "../errors.ts";
import { asServiceDefinitionError, ServiceDefinitionError } from "./service_definition_error.ts";
import { validateServiceDefinition } from "./validate_service_definition.ts";

/**
 * The file of a service's definition (protocol 4.1).
 *
 * @param directory The directory of definitions.
 * @param service The service's name.
 * @throws {ServiceDefinitionError} With kind `InvalidName`.
 */
export function serviceDefinitionPath(directory: string, service: string): string {
  try {
    requireName(serviceNameFault, service);
  } catch (error) {
    throw asServiceDefinitionError(error);
  }
  return joinPath(hostPlatform(), directory, `${service}.servicedef`);
}

/**
 * Validates a service definition and writes its file (protocol 4.1).
 *
 * The directory is made private. The file is replaced whole, so no reader ever sees half a definition.
 *
 * In Deno it requires `--allow-read` and `--allow-write` for the directory.
 *
 * @param directory The directory of definitions; created when missing.
 * @param definition The definition.
 * @param access How directories are kept private.
 * @returns The file's path.
 * @throws {ServiceDefinitionError} When the definition is not valid or cannot be written.
 */
export async function writeServiceDefinition(
  directory: string,
  definition: ServiceDefinition,
  access: DirectoryAccess = directoryAccess,
): Promise<string> {
  try {
    await access.makePrivate(directory);
    requirePrivate(await access.isPrivate(directory), directory);
    validateServiceDefinition(definition, definition.serviceName, hostPlatform());
    const path = serviceDefinitionPath(directory, definition.serviceName);
    await writeFileAtomically(path, encodeMessage(ServiceDefinitionSchema, definition));
    return path;
  } catch (error) {
    throw asIoError(error);
  }
}

/**
 * Decodes and validates the content of a definition's file.
 *
 * @throws {ServiceDefinitionError} With kind `Decode`, or as `validateServiceDefinition()` does.
 */
export function readServiceDefinition(bytes: Uint8Array, service: string): ServiceDefinition {
  const decoded = tryDecodeStrict(ServiceDefinitionSchema, bytes);
  if (decoded instanceof WireDecodeError) {
    const detail = `service-definition protobuf decode failed: ${decoded.detail}`;
    throw new ServiceDefinitionError("Decode", detail, { cause: decoded });
  }
  validateServiceDefinition(decoded, service, hostPlatform());
  return decoded;
}

/** Insists on a private directory, given whether it is. */
export function requirePrivate(isPrivate: boolean, directory: string): void {
  if (isPrivate) return;
  const detail = `service-definition directory has insecure permissions: ${directory}`;
  throw new ServiceDefinitionError("InsecureDirectory", detail);
}

/** An error of the system as one about the definition; any other error is left as it is. */
export function asIoError(error: unknown): unknown {
  const isOfSystem = !BrokerError.is(error) && osErrorCode(error) !== undefined;
  return isOfSystem ? ioError(osErrorText(error), error) : error;
}

/** The error for a definition that cannot be read or written. */
export function ioError(seen: string, cause?: unknown): ServiceDefinitionError {
  const options = { cause, isNotFound: isNotFound(cause) };
  return new ServiceDefinitionError("Io", `service-definition I/O failed: ${seen}`, options);
}
