import assert from "node:assert/strict";
import test from "node:test";
import {
  crashDumpDirectory,
  daemonDataDirectory,
  manifestDirectory,
  serviceDefinitionDirectory,
  temporaryDirectory,
} from "../../src/naming/directories.ts";
import type { Environment, HostValues, Platform } from "../../src/naming/platform.ts";

function host(
  platform: Platform,
  environment: Environment = {},
  home: string | undefined = "/h",
): HostValues {
  return { platform, environment, uid: 1000, home };
}

const path = (choice: { path: string; source: string }) => {
  assert.equal(choice.source, "platform-default");
  return choice.path;
};

test("the folders on Linux follow the XDG variables, then the home directory", () => {
  const xdg = { XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d", XDG_STATE_HOME: "/s", TMPDIR: "/t" };
  assert.equal(path(serviceDefinitionDirectory(host("linux", xdg))), "/c/running-process/services");
  assert.equal(path(manifestDirectory(host("linux", xdg))), "/d/running-process/manifests");
  assert.equal(path(daemonDataDirectory(host("linux", xdg))), "/s/running-process");
  assert.equal(path(crashDumpDirectory(host("linux", xdg))), "/t/running-process/crash-dumps");
  assert.equal(path(serviceDefinitionDirectory(host("linux"))), "/h/.config/running-process/services");
  assert.equal(path(manifestDirectory(host("linux"))), "/h/.local/share/running-process/manifests");
  assert.equal(path(daemonDataDirectory(host("linux"))), "/h/.local/state/running-process");
  assert.equal(path(crashDumpDirectory(host("linux"))), "/tmp/running-process/crash-dumps");
});

test("the folders of a user without a home directory are temporary ones", () => {
  const homeless: HostValues = { ...host("linux", { TMPDIR: "/t" }), home: undefined };
  assert.equal(path(serviceDefinitionDirectory(homeless)), "/t/.config/running-process/services");
  assert.equal(path(daemonDataDirectory(homeless)), "/tmp/running-process-state");
});

test("the folders on macOS are in the user's library, whatever XDG says", () => {
  const mac = host("macos", { XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d" }, "/Users/u");
  const library = "/Users/u/Library/Application Support/running-process";
  assert.equal(path(serviceDefinitionDirectory(mac)), `${library}/services`);
  assert.equal(path(manifestDirectory(mac)), `${library}/manifests`);
  assert.equal(path(daemonDataDirectory(mac)), "/Users/u/.local/state/running-process");
});

test("the folders on Windows are in the user's application data", () => {
  const data = { APPDATA: "C:\\R", LOCALAPPDATA: "C:\\L\\", TEMP: "C:\\T" };
  assert.equal(path(serviceDefinitionDirectory(host("windows", data))), "C:\\R\\running-process\\services");
  assert.equal(path(manifestDirectory(host("windows", data))), "C:\\R\\running-process\\manifests");
  assert.equal(path(daemonDataDirectory(host("windows", data))), "C:\\L\\running-process");
  assert.equal(path(crashDumpDirectory(host("windows", data))), "C:\\T\\running-process\\crash-dumps");
  assert.equal(path(manifestDirectory(host("windows"))), "C:\\ProgramData\\running-process\\manifests");
  assert.equal(path(daemonDataDirectory(host("windows"))), "C:\\ProgramData\\running-process");
  assert.equal(temporaryDirectory(host("windows")), "C:\\Windows");
});

test("a variable of its own replaces each folder, even an empty one", () => {
  const cases = [
    ["RUNNING_PROCESS_SERVICE_DEF_DIR", serviceDefinitionDirectory],
    ["RUNNING_PROCESS_MANIFEST_DIR", manifestDirectory],
    ["RUNNING_PROCESS_BROKER_CRASH_DUMP_DIR", crashDumpDirectory],
  ] as const;
  for (const platform of ["linux", "macos", "windows"] as const) {
    for (const [variable, directory] of cases) {
      for (const value of ["/over", ""]) {
        const choice = directory(host(platform, { [variable]: value, XDG_CONFIG_HOME: "/c" }));
        assert.deepEqual(choice, { path: value, source: `env:${variable}` });
      }
    }
  }
});

test("the flag of the command line comes before the variable", () => {
  const both = host("linux", { RUNNING_PROCESS_SERVICE_DEF_DIR: "/over" });
  assert.deepEqual(serviceDefinitionDirectory(both, "/flag"), {
    path: "/flag",
    source: "flag:--service-def-dir",
  });
});

test("an XDG variable that is set but empty yields a relative folder", () => {
  assert.equal(path(manifestDirectory(host("linux", { XDG_DATA_HOME: "" }))), "running-process/manifests");
});
