import assert from "node:assert/strict";
import test from "node:test";
import { backendPlace, isLeftToBroker, launchingBroker } from "../../src/backend/launched_options.ts";
import { launchEnvironment } from "../../src/broker/launch/launch_environment.ts";

const PLACE = {
  service: "my-daemon",
  version: "1.2.3",
  endpoint: "/run/be.sock",
  handoffEndpoint: "/run/ho.sock",
  namespace: "shared",
  idleTimeoutSecs: 45,
};
const BROKER = { endpoint: "/run/br.sock", process: { pid: 4242, startMark: "991" } };
const ENVIRONMENT = launchEnvironment({}, {
  ...PLACE,
  instanceId: "shared",
  broker: BROKER,
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
  const own = {
    endpoint: "/own.sock",
    handoffEndpoint: "/own-ho.sock",
    namespace: "explicit:x",
    idleTimeoutSecs: 7,
  };
  assert.deepEqual(backendPlace(own, ENVIRONMENT), { ...PLACE, ...own });
});

test("backendPlace() needs no variables when everything is said", () => {
  const { service, version, endpoint } = PLACE;
  const options = { service, version, endpoint };
  assert.equal(isLeftToBroker(options), false);
  const wanted = {
    ...options,
    handoffEndpoint: undefined,
    namespace: "private:my-daemon",
    idleTimeoutSecs: undefined,
  };
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

test("backendPlace() takes no idle timeout that is none", () => {
  for (const text of ["-1", "1.5", "soon", "4294967296", "00000000001"]) {
    const environment = { ...ENVIRONMENT, RUNNING_PROCESS_BROKER_V1_IDLE_TIMEOUT_SECS: text };
    failsAsConfig(() => backendPlace({}, environment), /IDLE_TIMEOUT_SECS is no whole number/);
  }
});

test("launchingBroker() is the broker of the launch variables, whole or not at all", () => {
  assert.deepEqual(launchingBroker(ENVIRONMENT), BROKER);
  assert.equal(launchingBroker({}), undefined);
  for (const name of ["BROKER_PID", "BROKER_START_MARK", "BROKER_ENDPOINT"]) {
    const environment = { ...ENVIRONMENT, [`RUNNING_PROCESS_BROKER_V1_${name}`]: "" };
    failsAsConfig(() => launchingBroker(environment), /some and not all/);
  }
  failsAsConfig(
    () => launchingBroker({ ...ENVIRONMENT, RUNNING_PROCESS_BROKER_V1_BROKER_PID: "0x10" }),
    /BROKER_PID is no whole number/,
  );
});
