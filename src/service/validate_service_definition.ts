// This module has no I/O.
import { ISOLATION_REASONS } from "../naming/broker_instance.ts";
import { isAbsolutePath } from "../naming/join_path.ts";
import type { Platform } from "../naming/platform.ts";
import { quotedText } from "../naming/quoted_text.ts";
import { requireName, serviceNameFault, versionFault } from "../naming/validate_name.ts";
import { BrokerIsolation, type ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import {
  asServiceDefinitionError,
  invalidIsolation,
  invalidPath,
  ServiceDefinitionError,
} from "./service_definition_error.ts";

/**
 * Checks a service definition against the service it was asked for (protocol 4.3), in the reference's order.
 *
 * Whether the binary exists is not checked, and labels are free.
 *
 * @param definition The definition as decoded.
 * @param service The service's name as requested.
 * @param platform Whose rule says which paths are absolute.
 * @throws {ServiceDefinitionError} For the first thing that is wrong.
 */
export function validateServiceDefinition(
  definition: Readonly<ServiceDefinition>,
  service: string,
  platform: Platform,
): void {
  try {
    requireName(serviceNameFault, service);
    requireName(serviceNameFault, definition.serviceName);
    if (definition.serviceName !== service) throw mismatch(service, definition.serviceName);
    requireAbsolute("binary_path", definition.binaryPath, platform);
    if (definition.perVersionBinaryDir !== "") {
      requireAbsolute("per_version_binary_dir", definition.perVersionBinaryDir, platform);
    }
    if (definition.minVersion !== "") requireName(versionFault, definition.minVersion);
    for (const version of definition.versionAllowList) requireName(versionFault, version);
    validateIsolation(definition);
  } catch (error) {
    throw asServiceDefinitionError(error);
  }
}

function mismatch(requested: string, actual: string): ServiceDefinitionError {
  const detail = `service-definition requested ${quotedText(requested)} but file declares ${
    quotedText(actual)
  }`;
  return new ServiceDefinitionError("ServiceNameMismatch", detail);
}

function requireAbsolute(field: string, path: string, platform: Platform): void {
  if (path === "") throw invalidPath(field, path, "must not be empty");
  if (!isAbsolutePath(platform, path)) throw invalidPath(field, path, "must be absolute");
}

function validateIsolation(definition: Readonly<ServiceDefinition>): void {
  const { isolation, explicitInstance } = definition;
  switch (isolation) {
    case BrokerIsolation.PRIVATE_BROKER:
    case BrokerIsolation.SHARED_BROKER:
      if (explicitInstance !== "") throw invalidIsolation(ISOLATION_REASONS.unwantedInstance);
      return;
    case BrokerIsolation.EXPLICIT_INSTANCE:
      if (explicitInstance === "") throw invalidIsolation(ISOLATION_REASONS.missingInstance);
      return requireName(serviceNameFault, explicitInstance);
    default:
      throw invalidIsolation(ISOLATION_REASONS.unknown);
  }
}
