import { create } from "@bufbuild/protobuf";
import { hostPlatform } from "../host/host_platform.ts";
import {
  BrokerIsolation,
  type ServiceDefinition,
  ServiceDefinitionSchema,
} from "../wire/gen/broker_v1_service_def_pb.ts";
import { installServiceDefinition } from "./install_service_definition.ts";
import { validateServiceDefinition } from "./validate_service_definition.ts";

/**
 * Builds a service definition (protocol 4.6).
 *
 * @example Usage
 * ```ts
 * import { ServiceDefinitionBuilder } from "@running-process/broker";
 * const path = await ServiceDefinitionBuilder.sharedBroker("my-daemon", "/usr/local/bin/my-daemon")
 *   .minVersion("1.10.0")
 *   .installIn("/tmp/services");
 * ```
 */
export class ServiceDefinitionBuilder {
  readonly #definition: ServiceDefinition;

  private constructor(definition: ServiceDefinition) {
    this.#definition = definition;
  }

  /** Starts the definition of a service that shares the user's broker with others. */
  static sharedBroker(service: string, binaryPath: string): ServiceDefinitionBuilder {
    return ServiceDefinitionBuilder.#of(service, binaryPath, BrokerIsolation.SHARED_BROKER);
  }

  /** Starts the definition of a service with a broker of its own. */
  static privateBroker(service: string, binaryPath: string): ServiceDefinitionBuilder {
    return ServiceDefinitionBuilder.#of(service, binaryPath, BrokerIsolation.PRIVATE_BROKER);
  }

  /** Starts the definition of a service in a named broker instance. */
  static explicitInstance(service: string, binaryPath: string, instance: string): ServiceDefinitionBuilder {
    return ServiceDefinitionBuilder.#of(service, binaryPath, BrokerIsolation.EXPLICIT_INSTANCE, instance);
  }

  static #of(
    serviceName: string,
    binaryPath: string,
    isolation: BrokerIsolation,
    explicitInstance = "",
  ): ServiceDefinitionBuilder {
    const fields = { serviceName, binaryPath, isolation, explicitInstance };
    return new ServiceDefinitionBuilder(create(ServiceDefinitionSchema, fields));
  }

  /** Sets the lowest version that may be served; its pre-release part is not compared. */
  minVersion(version: string): this {
    this.#definition.minVersion = version;
    return this;
  }

  /** Adds a version to the only ones that may be served. */
  allowVersion(version: string): this {
    this.#definition.versionAllowList.push(version);
    return this;
  }

  /** Sets the directory below which the binary must be; a service without it cannot be launched. */
  perVersionBinaryDir(directory: string): this {
    this.#definition.perVersionBinaryDir = directory;
    return this;
  }

  /** Adds a label. Ours are `interpreter` and `args`: how a broker launches a script; nothing else is read. */
  label(key: string, value: string): this {
    this.#definition.labels[key] = value;
    return this;
  }

  /**
   * Validates the definition.
   *
   * @returns A copy, so the builder can go on.
   * @throws {ServiceDefinitionError} For the first thing that is wrong.
   */
  build(): ServiceDefinition {
    const { versionAllowList, labels } = this.#definition;
    const copy = { ...this.#definition, versionAllowList: [...versionAllowList], labels: { ...labels } };
    validateServiceDefinition(copy, copy.serviceName, hostPlatform());
    return copy;
  }

  /**
   * Validates the definition and writes it to the default directory.
   *
   * @returns The file's path.
   * @throws {ServiceDefinitionError} When it is not valid or cannot be written.
   */
  async install(): Promise<string> {
    return (await installServiceDefinition(this.build())).path;
  }

  /**
   * Validates the definition and writes it to a given directory.
   *
   * @returns The file's path.
   * @throws {ServiceDefinitionError} When it is not valid or cannot be written.
   */
  async installIn(directory: string): Promise<string> {
    return (await installServiceDefinition(this.build(), { directory })).path;
  }
}
