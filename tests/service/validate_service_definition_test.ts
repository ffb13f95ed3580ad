import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { ServiceDefinitionError } from "../../src/service/service_definition_error.ts";
import { validateServiceDefinition } from "../../src/service/validate_service_definition.ts";
import {
  type ServiceDefinition,
  ServiceDefinitionSchema,
} from "../../src/wire/gen/broker_v1_service_def_pb.ts";

type Fields = Partial<Omit<ServiceDefinition, "$typeName" | "$unknown">>;

/** Every field wrong; each step of the test below mends the first thing that is reported. */
const WRONG: Fields = {
  serviceName: "Bad",
  binaryPath: "",
  perVersionBinaryDir: "rel",
  minVersion: "1",
  versionAllowList: ["1.0.0", "x"],
  isolation: 2,
  explicitInstance: "Bad",
};

function failure(fields: Fields, service = "svc", platform: "linux" | "windows" = "linux"): string {
  try {
    validateServiceDefinition(create(ServiceDefinitionSchema, fields), service, platform);
    return "valid";
  } catch (error) {
    assert.ok(error instanceof ServiceDefinitionError, String(error));
    return `${error.kind}: ${error.detail}`;
  }
}

test("validateServiceDefinition() checks in the reference's order", () => {
  const name = (text: string) => new RegExp(`^InvalidName: invalid name "${text}": `);
  let fields = WRONG;
  assert.match(failure(fields, "Worse"), name("Worse"));
  const steps: [Fields, RegExp][] = [
    [{}, name("Bad")],
    [{ serviceName: "other" }, /^ServiceNameMismatch: .* requested "svc" but file declares "other"$/],
    [{ serviceName: "svc" }, /^InvalidPath: .*binary_path is invalid: "" \(must not be empty\)$/],
    [{ binaryPath: "rel" }, /^InvalidPath: .*binary_path is invalid: "rel" \(must be absolute\)$/],
    [{ binaryPath: "/b" }, /^InvalidPath: .*per_version_binary_dir is invalid: "rel" \(must be absolute\)$/],
    [{ perVersionBinaryDir: "" }, name("1")],
    [{ minVersion: "" }, name("x")],
    [{ versionAllowList: [] }, name("Bad")],
    [
      { explicitInstance: "" },
      /^InvalidIsolation: .* is invalid: EXPLICIT_INSTANCE requires explicit_instance$/,
    ],
    [{ isolation: 1, explicitInstance: "x" }, /^InvalidIsolation: .*explicit_instance must be empty unless/],
    [{ isolation: 0, explicitInstance: "x" }, /^InvalidIsolation: .*explicit_instance must be empty unless/],
    [
      { isolation: 3 as never, explicitInstance: "" },
      /^InvalidIsolation: .* is invalid: unknown BrokerIsolation value$/,
    ],
    [{ isolation: 2, explicitInstance: "dev" }, /^valid$/],
    [{ isolation: 0, explicitInstance: "" }, /^valid$/],
    [{ labels: { "": "anything" } }, /^valid$/],
  ];
  for (const [mend, expected] of steps) {
    fields = { ...fields, ...mend };
    assert.match(failure(fields), expected);
  }
});

test("validateServiceDefinition() applies the platform's rule for absolute paths", () => {
  const fields: Fields = { serviceName: "svc", isolation: 1, binaryPath: "C:\\bin\\x.exe" };
  assert.equal(failure(fields, "svc", "windows"), "valid");
  assert.match(failure(fields, "svc", "linux"), /must be absolute/);
  assert.match(failure({ ...fields, binaryPath: "/bin/x" }, "svc", "windows"), /must be absolute/);
});
