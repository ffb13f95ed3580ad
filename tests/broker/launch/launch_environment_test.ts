import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { launchEnvironment } from "../../../src/broker/launch/launch_environment.ts";

const LAUNCH = {
  service: "my-daemon",
  version: "1.2.3",
  endpoint: "/run/be.sock",
  handoffEndpoint: "/run/ho.sock",
  instanceId: "private:my-daemon",
  broker: { endpoint: "/run/br.sock", process: { pid: 4242, startMark: "991" } },
  idleTimeoutSecs: 30,
  traceparent: "",
  tracestate: "",
};
const TOLD = {
  RUNNING_PROCESS_BROKER_V1_SERVICE_NAME: "my-daemon",
  RUNNING_PROCESS_BROKER_V1_SERVICE_VERSION: "1.2.3",
  RUNNING_PROCESS_BROKER_V1_BACKEND_PIPE: "/run/be.sock",
  RUNNING_PROCESS_BROKER_V1_BACKEND_NAMESPACE: "private:my-daemon",
  RUNNING_PROCESS_BROKER_V1_INSTANCE: "private:my-daemon",
  RUNNING_PROCESS_BROKER_V1_HANDOFF_PIPE: "/run/ho.sock",
  RUNNING_PROCESS_BROKER_V1_BROKER_PID: "4242",
  RUNNING_PROCESS_BROKER_V1_BROKER_START_MARK: "991",
  RUNNING_PROCESS_BROKER_V1_BROKER_ENDPOINT: "/run/br.sock",
  RUNNING_PROCESS_BROKER_V1_IDLE_TIMEOUT_SECS: "30",
};

test("launchEnvironment() tells a backend what it is, and its trace when there is one", () => {
  assert.deepEqual(launchEnvironment({}, LAUNCH), TOLD);
  const traced = launchEnvironment({}, { ...LAUNCH, traceparent: "00-1-2-01", tracestate: "a=b" });
  assert.deepEqual(traced, {
    ...TOLD,
    RUNNING_PROCESS_BROKER_V1_TRACEPARENT: "00-1-2-01",
    RUNNING_PROCESS_BROKER_V1_TRACESTATE: "a=b",
  });
});

test("launchEnvironment() hands on who and where, and nothing else", () => {
  const passed = {
    PATH: "/bin",
    HOME: "/home/u",
    USER: "u",
    LOGNAME: "u",
    LANG: "C.UTF-8",
    LC_ALL: "C",
    TMPDIR: "",
    XDG_RUNTIME_DIR: "/run/user/1",
    TERM: "dumb",
    SSL_CERT_FILE: "/ca.pem",
    SSL_CERT_DIR: "/ca",
    RUNNING_PROCESS_SERVICE_DEF_DIR: "/defs",
    RUNNING_PROCESS_MANIFEST_DIR: "/manifests",
  };
  const kept = {
    AWS_SECRET_ACCESS_KEY: "x",
    GITHUB_TOKEN: "x",
    LD_PRELOAD: "x",
    NODE_OPTIONS: "x",
    MY_PATH: "x",
    PATH_X: "x",
    SSL_CERT_KEY: "x",
    RUNNING_PROCESS_DISABLE: "1",
    RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1",
    RUNNING_PROCESS_BROKER_V1_SERVICE_NAME: "another",
    RUNNING_PROCESS_BROKER_V1_TRACEPARENT: "another",
    RUNNING_PROCESS_BROKER_V1_BROKER_PID: "1",
  };
  assert.deepEqual(launchEnvironment({ ...kept, ...passed, SHELL: undefined }, LAUNCH), {
    ...passed,
    ...TOLD,
  });
});

test("launchEnvironment() hands on no other variable, whatever its name", () => {
  const allowed =
    /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|TMPDIR|LANG|LANGUAGE|LC_.*|XDG_.*|SSL_CERT_(FILE|DIR)|RUNNING_PROCESS_.*DIR|system(root|drive)|comspec|pathext|te?mp|user(name|profile)|(local)?appdata)$/i;
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.string()), (own) => {
    const others = Object.keys(launchEnvironment(own, LAUNCH)).filter((name) => !Object.hasOwn(TOLD, name));
    assert.deepEqual(others.filter((name) => !allowed.test(name)), []);
  }));
});
