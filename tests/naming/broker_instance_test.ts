import assert from "node:assert/strict";
import test from "node:test";
import {
  type BrokerInstance,
  brokerInstance,
  brokerInstanceEndpointName,
  BrokerInstanceError,
  brokerInstanceId,
} from "../../src/naming/broker_instance.ts";
import { EndpointNameError } from "../../src/naming/endpoint_name_error.ts";

const HASH = "0123456789abcdef";
const choice = (isolation: number, explicitInstance = "", serviceName = "zccache") => ({
  isolation,
  explicitInstance,
  serviceName,
});

test("brokerInstance() follows the isolation of the definition", () => {
  const cases: [BrokerInstance, string, string][] = [
    [brokerInstance(choice(0)), "private:zccache", "svc-zccache"],
    [brokerInstance(choice(1)), "shared", "shared"],
    [brokerInstance(choice(2, "dev")), "explicit:dev", "inst-dev"],
  ];
  for (const [instance, id, leaf] of cases) {
    assert.equal(brokerInstanceId(instance), id);
    assert.equal(brokerInstanceEndpointName(instance, HASH), `rpb-v1-${HASH}-${leaf}`);
  }
});

test("brokerInstance() refuses an isolation it cannot resolve", () => {
  const refused: [number, string][] = [
    [2, "EXPLICIT_INSTANCE requires explicit_instance"],
    [3, "unknown BrokerIsolation value"],
    [-1, "unknown BrokerIsolation value"],
  ];
  for (const [isolation, reason] of refused) {
    assert.throws(() => brokerInstance(choice(isolation)), (error) => {
      assert.ok(error instanceof BrokerInstanceError);
      assert.equal(error.kind, "InvalidIsolation");
      assert.equal(error.detail, `broker instance isolation is invalid: ${reason}`);
      return true;
    });
  }
});

test("brokerInstance() checks the names it is made of", () => {
  assert.throws(() => brokerInstance(choice(1, "", "Bad")), EndpointNameError);
  assert.throws(() => brokerInstance(choice(2, "Bad")), EndpointNameError);
});
