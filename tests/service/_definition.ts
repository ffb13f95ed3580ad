import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ServiceDefinition,
  ServiceDefinitionSchema,
} from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";

/** An absolute path on every platform these tests run on. */
export const BINARY = "/usr/bin/daemon";

/** A valid definition of the service `svc`. */
export function makeDefinition(
  fields: MessageInitShape<typeof ServiceDefinitionSchema> = {},
): ServiceDefinition {
  return {
    ...create(ServiceDefinitionSchema, { serviceName: "svc", binaryPath: BINARY, isolation: 1 }),
    ...fields,
  } as ServiceDefinition;
}

/** A private folder of definitions, removed after the test. */
export async function makeDefinitionDir(
  ...definitions: ServiceDefinition[]
): Promise<TempDir & { services: string }> {
  const dir = await makeTempDir();
  const services = dir.join("services");
  mkdirSync(services);
  chmodSync(services, 0o700);
  for (const definition of definitions) {
    putDefinition(`${services}/${definition.serviceName}.servicedef`, definition);
  }
  return { ...dir, services };
}

/** Writes a definition's file in place. */
export function putDefinition(path: string, definition: ServiceDefinition): void {
  writeFileSync(path, encodeMessage(ServiceDefinitionSchema, definition));
}
