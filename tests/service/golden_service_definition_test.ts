import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { brokerInstance, BrokerInstanceError, brokerInstanceId } from "../../src/naming/broker_instance.ts";
import { EndpointNameError } from "../../src/naming/endpoint_name_error.ts";
import { ServiceDefinitionError } from "../../src/service/service_definition_error.ts";
import { validateServiceDefinition } from "../../src/service/validate_service_definition.ts";
import { checkVersionAllowed } from "../../src/service/version_policy.ts";
import {
  type ServiceDefinition,
  ServiceDefinitionSchema,
} from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { goldenVersions, loadGolden } from "../support/golden.ts";

interface DefinitionVector {
  id: string;
  input: Record<string, unknown>;
  expected_service: string;
  valid: { ok: true } | { error: string };
  instance: { ok: string } | { error: string };
}

interface PolicyVector {
  id: string;
  min_version: string;
  allow: string[];
  wanted: string;
  blocked: string | null;
}

const FIELDS: Readonly<Record<string, keyof ServiceDefinition>> = {
  service_name: "serviceName",
  binary_path: "binaryPath",
  isolation: "isolation",
  explicit_instance: "explicitInstance",
  per_version_binary_dir: "perVersionBinaryDir",
  min_version: "minVersion",
  version_allow_list: "versionAllowList",
  labels: "labels",
};

function definition({ id, input }: DefinitionVector): ServiceDefinition {
  const fields = Object.entries(input).map(([key, value]) => {
    assert.ok(FIELDS[key] !== undefined, `${id} has the unknown field ${key}`);
    return [FIELDS[key], value];
  });
  return create(ServiceDefinitionSchema, Object.fromEntries(fields));
}

function outcome<Value>(work: () => Value): { ok: Value } | { error: string } {
  try {
    return { ok: work() };
  } catch (error) {
    const known = error instanceof ServiceDefinitionError || error instanceof BrokerInstanceError ||
      error instanceof EndpointNameError;
    if (!known) throw error;
    return { error: error.detail };
  }
}

for (const version of goldenVersions) {
  test(`service definitions are validated as by the reference ${version}`, (t) => {
    const { vectors } = loadGolden<DefinitionVector>(version, "service_def");
    for (const vector of vectors) {
      const input = definition(vector);
      const validity = outcome(() => {
        validateServiceDefinition(input, vector.expected_service, "linux");
        return true as const;
      });
      assert.deepEqual(validity, vector.valid, vector.id);
      assert.deepEqual(outcome(() => brokerInstanceId(brokerInstance(input))), vector.instance, vector.id);
    }
    t.diagnostic?.(`service_def ${version}: ${vectors.length} vectors`);
    assert.ok(vectors.length > 0);
  });

  test(`versions are blocked as by the reference ${version}`, (t) => {
    const { vectors } = loadGolden<PolicyVector>(version, "version_policy");
    for (const { id, min_version: minVersion, allow: versionAllowList, wanted, blocked } of vectors) {
      assert.equal(checkVersionAllowed({ minVersion, versionAllowList }, wanted) ?? null, blocked, id);
    }
    t.diagnostic?.(`version_policy ${version}: ${vectors.length} vectors`);
    assert.ok(vectors.length > 0);
  });
}
