import { create } from "@bufbuild/protobuf";
import { mkdirSync, writeFileSync } from "node:fs";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { BrokerIsolation, ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import type { TempDir } from "../support/temp_dir.ts";

/** Writes its process id into the file that tells of it, and never serves. */
const PROGRAM = '#!/bin/sh\necho $$ > "$0.started"\nexec sleep 600\n';

/** The file that is there once the backend was launched. */
export function startedMark(dir: TempDir): string {
  return dir.join("versions/sleeper.started");
}

/** Defines the service "sleeper", whose backend a broker waits for until it gives it up. */
export async function writeSleepingService(dir: TempDir): Promise<void> {
  const folder = dir.join("versions");
  mkdirSync(folder, 0o700);
  const program = `${folder}/sleeper`;
  writeFileSync(program, PROGRAM, { mode: 0o700 });
  const fields = {
    serviceName: "sleeper",
    binaryPath: program,
    perVersionBinaryDir: folder,
    isolation: BrokerIsolation.SHARED_BROKER,
  };
  await writeServiceDefinition(dir.join("defs"), create(ServiceDefinitionSchema, fields));
}
