import assert from "node:assert/strict";
import test from "node:test";
import { EndpointNameError } from "../../src/naming/endpoint_name_error.ts";
import {
  backendName,
  explicitInstanceName,
  privateBrokerName,
  sharedBrokerName,
} from "../../src/naming/endpoint_name.ts";
import { endpointPath } from "../../src/naming/endpoint_path.ts";
import type { Environment } from "../../src/naming/platform.ts";
import { userHash } from "../../src/naming/user_identity.ts";
import { requireName, serviceNameFault, versionFault } from "../../src/naming/validate_name.ts";
import { fromHex, goldenVersions, loadGolden } from "../support/golden.ts";

type PathOutcome = { unix: string } | { error: string; message: string };
type NameOutcome = { ok: true } | { error: string };

type NameVector =
  | {
    id: string;
    kind: "service";
    input: string;
    valid: NameOutcome;
    private: PathOutcome;
    explicit: PathOutcome;
  }
  | {
    id: string;
    kind: "sid";
    input: string;
    shared: PathOutcome;
    backend: PathOutcome;
    backend_random: string;
  }
  | { id: string; kind: "version"; input: string; valid: NameOutcome }
  | { id: string; kind: "sid_hash"; input: string; hash: string };

/** The user hash the generator used for the paths of services and instances. */
const GENERATOR_HASH = "0123456789abcdef";

function pathOutcome(environment: Environment, makeName: () => string): PathOutcome {
  try {
    return { unix: endpointPath(makeName(), { platform: "linux", environment, uid: 1000 }) };
  } catch (error) {
    assert.ok(error instanceof EndpointNameError, String(error));
    return { error: error.kind, message: error.detail };
  }
}

function nameOutcome(check: () => void): NameOutcome {
  try {
    check();
    return { ok: true };
  } catch (error) {
    assert.ok(error instanceof EndpointNameError, String(error));
    return { error: error.detail };
  }
}

function checkVector(vector: NameVector, environment: Environment): void {
  switch (vector.kind) {
    case "service":
      assert.deepEqual(nameOutcome(() => requireName(serviceNameFault, vector.input)), vector.valid);
      assert.deepEqual(
        pathOutcome(environment, () => privateBrokerName(GENERATOR_HASH, vector.input)),
        vector.private,
      );
      assert.deepEqual(
        pathOutcome(environment, () => explicitInstanceName(GENERATOR_HASH, vector.input)),
        vector.explicit,
      );
      return;
    case "sid":
      assert.deepEqual(pathOutcome(environment, () => sharedBrokerName(vector.input)), vector.shared);
      assert.deepEqual(
        pathOutcome(environment, () => backendName(vector.input, fromHex(vector.backend_random))),
        vector.backend,
      );
      return;
    case "version":
      assert.deepEqual(nameOutcome(() => requireName(versionFault, vector.input)), vector.valid);
      return;
    case "sid_hash":
      // The generator hashed the identity string of the vector's input.
      assert.equal(userHash(vector.input), vector.hash);
      return;
    default:
      assert.fail(`Unknown kind of name vector: ${JSON.stringify(vector)}`);
  }
}

for (const version of goldenVersions) {
  test(`names and paths equal those of the reference ${version}`, (t) => {
    const golden = loadGolden<NameVector>(version, "names");
    for (const vector of golden.vectors) {
      try {
        checkVector(vector, golden.env);
      } catch (cause) {
        throw new Error(`Vector ${vector.id} of ${version} differs`, { cause });
      }
    }
    t.diagnostic?.(`names ${version}: ${golden.vectors.length} vectors`);
    assert.ok(golden.vectors.length > 0);
  });
}
