import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { BrokerIsolation, ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { SERVICE } from "../support/topology.ts";
import type { Lab } from "./_lab.ts";

const MIN_VERSION = "1.0.0";

/** Writes the test service's definition with this project. */
export async function defineOurService(folder: string, binaryPath: string): Promise<void> {
  const definition = create(ServiceDefinitionSchema, {
    serviceName: SERVICE,
    binaryPath,
    isolation: BrokerIsolation.SHARED_BROKER,
    minVersion: MIN_VERSION,
  });
  await writeServiceDefinition(folder, definition);
}

/** Writes the test service's definition with the reference; only with a folder of versions it can be launched. */
export async function defineRustService(
  lab: Lab,
  folder: string,
  binaryPath: string,
  versionsFolder = "",
): Promise<void> {
  const fields = {
    service_name: SERVICE,
    binary_path: binaryPath,
    per_version_binary_dir: versionsFolder,
    isolation: BrokerIsolation.SHARED_BROKER,
    min_version: MIN_VERSION,
  };
  const [written] = await lab.runPeer("broker", "def", "--dir", folder, "--json", JSON.stringify(fields));
  assert.equal(written?.event, "def", JSON.stringify(written));
}
