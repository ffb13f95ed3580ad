// Writes and reads the files that both implementations share. argv: a list of steps as JSON; messages are in the form
// of the golden files. Prints for each step its value or its error, as `peer-files` does.
import process from "node:process";
import type { DescMessage } from "@bufbuild/protobuf";
import { hostIdentity } from "../../src/host/host_identity.ts";
import { hostValues } from "../../src/host/host_values.ts";
import { readIdentityFileStrictly, writeIdentityFile } from "../../src/host/identity_file.ts";
import { userSidHash } from "../../src/host/user.ts";
import {
  backendName,
  explicitInstanceName,
  privateBrokerName,
  sharedBrokerName,
} from "../../src/naming/endpoint_name.ts";
import { endpointPath } from "../../src/naming/endpoint_path.ts";
import { readManifest } from "../../src/service/manifest_file.ts";
import { enumerateCentral, writeManifestToCentral } from "../../src/service/manifest_registry.ts";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import {
  CacheManifestSchema,
  DaemonProcessSchema,
  HostIdentitySchema,
} from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { fromGolden, type GoldenMessage, toGolden } from "../wire/golden_message.ts";
import { printJson } from "./json_line.ts";

/** One step; which fields it needs depends on the act. */
interface Step {
  act: string;
  path: string;
  service: string;
  message: GoldenMessage;
}

const acts: Readonly<Record<string, (step: Step) => Promise<unknown>>> = {
  "def-write": ({ path, message }) =>
    writeServiceDefinition(path, fromGolden(ServiceDefinitionSchema, message)),
  "def-read": async ({ path, service }) =>
    golden(ServiceDefinitionSchema, await new ServiceDefinitionLoader(path).load(service)),
  "identity-write": ({ path, message }) => writeIdentityFile(path, fromGolden(DaemonProcessSchema, message)),
  "identity-read": async ({ path }) => golden(DaemonProcessSchema, await readIdentityFileStrictly(path)),
  "manifest-write": async ({ path, message }) => {
    const manifest = fromGolden(CacheManifestSchema, message);
    manifest.host ??= await hostIdentity();
    return await writeManifestToCentral(path, manifest.serviceName, manifest.serviceVersion, manifest);
  },
  "manifest-read": async ({ path }) => golden(CacheManifestSchema, await readManifest(path)),
  "manifest-list": async ({ path }) =>
    (await enumerateCentral(path)).map((manifest) => golden(CacheManifestSchema, manifest)),
  "host": async () => golden(HostIdentitySchema, await hostIdentity()),
  "names": async ({ service }) => {
    const userHash = await userSidHash();
    const path = (name: string) => endpointPath(name, hostValues());
    return {
      sid_hash: userHash,
      shared: path(sharedBrokerName(userHash)),
      private: path(privateBrokerName(userHash, service)),
      explicit: path(explicitInstanceName(userHash, service)),
      backend: path(backendName(userHash, new Uint8Array(16).fill(0xab))),
    };
  },
};

for (const step of JSON.parse(process.argv[2] ?? "[]") as Step[]) {
  try {
    printJson({ event: "done", value: await acts[step.act]!(step) });
  } catch (error) {
    printJson({ event: "error", error: String(error) });
  }
}
process.exit(0);

function golden(schema: DescMessage, message: unknown): unknown {
  return message === undefined ? null : toGolden(schema, message);
}
