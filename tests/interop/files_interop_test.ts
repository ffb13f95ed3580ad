// run-in: deno
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { CacheManifestSchema, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { fromGolden, type GoldenMessage, toGolden } from "../wire/golden_message.ts";
import { type FileOutcome, type FileStep, takeSteps } from "./_file_parties.ts";
import { isRust, Labs, parties, type Party } from "./_probers.ts";
import { formatColumns } from "./_table.ts";

const SERVICE = "my-daemon";
const VERSION = "1.2.3";
const SHA256 = "11".repeat(32);
const BLAKE3 = "22".repeat(32);

const DEFINITION: GoldenMessage = {
  service_name: SERVICE,
  binary_path: "/opt/my daemon/bin",
  isolation: 2,
  explicit_instance: "blue",
  per_version_binary_dir: "/opt/my daemon",
  min_version: "1.0.0",
  version_allow_list: ["1.2.3", "1.2.4-rc.1"],
  labels: { team: "bücher" },
};
