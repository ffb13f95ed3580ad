import assert from "node:assert/strict";
import test from "node:test";
import { backendPlace, isLeftToBroker } from "../../src/backend/launched_options.ts";
import { launchEnvironment } from "../../src/broker/launch/launch_environment.ts";

const PLACE = {
  service: "my-daemon",
  version: "1.2.3",
  endpoint: "/run/be.sock",
  handoffEndpoint: "/run/ho.sock",
  namespace: "shared",
};
const ENVIRONMENT = launchEnvironment({}, {
  ...PLACE,
  instanceId: "shared",
  traceparent: "",
  tracestate: "",
});

function failsAsConfig(run: () => unknown, pattern: RegExp): void {
  assert.throws(run, (error) => {
    const { code, message } = error as { code?: unknown; message: string };
    assert.equal(code, "config");
    assert.match(message, pattern);
    return true;
  });
}

test("backendPlace() takes from the launch variables what is left out", () => {
  assert.deepEqual(backendPlace({}, ENVIRONMENT), PLACE);
  const own = { endpoint: "/own.sock", handoffEndpoint: "/own-ho.sock", namespace: "explicit:x" };
  assert.deepEqual(backendPlace(own, ENVIRONMENT), { ...PLACE, ...own });
});

test("backendPlace() needs no variables when everything is said", () => {
  const { service, version, endpoint } = PLACE;
  const options = { service, version, endpoint };
  assert.equal(isLeftToBroker(options), false);
  const wanted = { ...options, handoffEndpoint: undefined, namespace: "private:my-daemon" };
  assert.deepEqual(backendPlace(options, {}), wanted);
  for (const field of ["service", "version", "endpoint"] as const) {
    assert.equal(isLeftToBroker({ ...options, [field]: undefined }), true);
    failsAsConfig(() => backendPlace({ ...options, [field]: undefined }, {}), new RegExp(`no ${field},`));
  }
});

test("backendPlace() serves nothing else than what it was launched as", () => {
  failsAsConfig(() => backendPlace({ version: "1.2.4" }, ENVIRONMENT), /version "1\.2\.4".*"1\.2\.3"/);
  failsAsConfig(() => backendPlace({ service: "other" }, ENVIRONMENT), /service "other".*"my-daemon"/);
});
