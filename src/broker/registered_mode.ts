import { BrokerError } from "../errors.ts";
import { readIdentityFileStrictly } from "../host/identity_file.ts";
import { brokerInstance, brokerInstanceId } from "../naming/broker_instance.ts";
import { ServiceDefinitionError } from "../service/service_definition_error.ts";
import { serviceDefinitionPath } from "../service/service_definition_file.ts";
import type { ServiceDefinitionLoader } from "../service/service_definition_loader.ts";
import { checkVersionAllowed } from "../service/version_policy.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import type { BackendKey } from "./backend_registry.ts";
import { RegisteredService, type RegisteredServiceParts } from "./registered_service.ts";
import type { RegisteredBackendOptions } from "./serve_broker_options.ts";
import type { ServeMode } from "./serve_mode.ts";

/** A broker in front of one backend, which has to be there and to be what its definition says (protocol 6.1). */
export async function registeredMode(
  shared: Omit<RegisteredServiceParts, "registration">,
  loader: ServiceDefinitionLoader,
  options: RegisteredBackendOptions,
): Promise<ServeMode> {
  const { key, definition } = await startingKey(loader, options);
  const registration = { ...options, announcedIdentity: announcedIdentity(options.identityFile) };
  const source = new RegisteredService({ ...shared, registration });
  shared.registry.insert(await source.verify(key, definition));
  return { source, label: key.instanceId, spawnBudgets: () => [] };
}

/** The key of the registered backend, from a definition that has to be there and to allow its version. */
async function startingKey(
  loader: ServiceDefinitionLoader,
  { service, version, endpoint }: RegisteredBackendOptions,
): Promise<{ key: BackendKey; definition: ServiceDefinition }> {
  if (endpoint === "") throw new BrokerError("config", "Cannot serve: the backend endpoint is empty");
  const definition = await definitionAtStart(loader, service);
  const blocked = checkVersionAllowed(definition, version);
  if (blocked !== undefined) {
    const policy = blocked === "BelowMinVersion" ? "is below min_version" : "is not in version_allow_list";
    throw new BrokerError(
      "config",
      `Cannot serve "${service}": version "${version}" ${policy} of its definition`,
    );
  }
  return { key: { instanceId: brokerInstanceId(brokerInstance(definition)), service, version }, definition };
}

/** At the start a definition that cannot be used is the operator's to put right, so it is said what to do. */
async function definitionAtStart(
  loader: ServiceDefinitionLoader,
  service: string,
): Promise<Readonly<ServiceDefinition>> {
  try {
    return await loader.load(service);
  } catch (error) {
    if (!(error instanceof ServiceDefinitionError)) throw error;
    const advice = error.kind === "InsecureDirectory"
      ? "run chmod 700 on it or choose a directory of your own"
      : error.kind === "InvalidName"
      ? "choose another name"
      : `write "${serviceDefinitionPath(loader.directory, service)}" anew`;
    throw new BrokerError("config", `Cannot serve "${service}": ${error.detail}; ${advice}`, {
      cause: error,
    });
  }
}

function announcedIdentity(path: string | undefined): (() => Promise<DaemonProcess>) | undefined {
  if (path === undefined) return undefined;
  return async () => {
    const identity = await readIdentityFileStrictly(path);
    if (identity !== undefined) return identity;
    throw new BrokerError("config", `Cannot tell which process is the backend: "${path}" does not exist`);
  };
}
