import assert from "node:assert/strict";
import { test } from "node:test";
import type { DoctorHost } from "../../src/doctor/doctor_host.ts";
import { permissionsCheck } from "../../src/doctor/permissions_check.ts";
import { fakeHost, fakeValues, SOCKETS } from "./_fake_host.ts";

const DEFINITIONS = "/home/ann/defs";

type Definition = Awaited<ReturnType<DoctorHost["loadDefinition"]>>;

function definition(fields: Partial<Definition>): Definition {
  return { serviceName: "any", binaryPath: "/opt/any/any", perVersionBinaryDir: "", labels: {}, ...fields };
}

async function flagsOf(host: DoctorHost): Promise<Readonly<Record<string, readonly string[]>>> {
  const { name, status, flags } = await permissionsCheck(host, DEFINITIONS);
  assert.deepEqual([name, status], ["runtime:permissions", "PASS"]);
  return flags!;
}

function reads(flags: readonly string[] | undefined): string[] {
  return flags!.find((flag) => flag.startsWith("--allow-read="))!.slice("--allow-read=".length).split(",");
}

test("permissionsCheck() prints for each part what it shows in JSON, fit for a shell", async () => {
  const check = await permissionsCheck(fakeHost(), DEFINITIONS);
  assert.deepEqual(Object.keys(check.flags!), ["client", "backend", "broker", "launching-broker"]);
  for (const [role, flags] of Object.entries(check.flags!)) {
    assert.ok(check.detail.includes(`${role}: ${flags.join(" ")}`), check.detail);
    assert.ok(!flags.includes("--allow-all") && !flags.includes("-A"), role);
  }
  const environment = { XDG_RUNTIME_DIR: "/run/it's, mine" };
  const quoted = await permissionsCheck(fakeHost({ values: fakeValues({ environment }) }), DEFINITIONS);
  assert.ok(
    quoted.detail.includes("'--allow-write=/run/it'\\''s,, mine/running-process/broker'"),
    quoted.detail,
  );
});

test("permissionsCheck() lets a client read and write sockets, and call nothing native", async () => {
  const { client } = await flagsOf(fakeHost());
  assert.deepEqual([...client!].sort(), [
    "--allow-env=RUNNING_PROCESS_DISABLE",
    "--allow-net",
    `--allow-read=${SOCKETS}`,
    "--allow-sys=uid",
    `--allow-write=${SOCKETS}`,
  ]);
});

test("permissionsCheck() names the C library where it is, and warns when it is nowhere", async () => {
  const flags = await flagsOf(fakeHost());
  for (const role of ["backend", "broker", "launching-broker"]) {
    assert.ok(flags[role]!.includes("--allow-ffi=/lib/libc.so.6"), role);
  }
  const { status } = await permissionsCheck(
    fakeHost({ libraryPath: () => Promise.resolve(undefined) }),
    DEFINITIONS,
  );
  assert.equal(status, "WARN");
});

test("permissionsCheck() lets brokers read what the definitions name, and start what they launch", async () => {
  const definitions: Readonly<Record<string, Definition>> = {
    "fixed": definition({ binaryPath: "/opt/fixed/bin" }),
    "script": definition({
      binaryPath: "/opt/s/main.ts",
      perVersionBinaryDir: "/opt/s",
      labels: { interpreter: "deno" },
    }),
    "binary": definition({ binaryPath: "/opt/b/bin", perVersionBinaryDir: "/opt/b" }),
  };
  const host = fakeHost({
    listNames: () =>
      Promise.resolve([...Object.keys(definitions), "broken"].map((name) => `${name}.servicedef`)),
    loadDefinition(_directory, service) {
      const found = definitions[service];
      return found === undefined ? Promise.reject(new Error("broken")) : Promise.resolve(found);
    },
    kindOf: (path) => Promise.resolve(path === "/usr/bin/deno" ? "other" : undefined),
    realPath: (path) => Promise.resolve(path === "/usr/bin/deno" ? "/opt/deno/deno" : path),
  });
  const flags = await flagsOf(host);
  const started = ["/opt/b/bin", "/opt/deno/deno", "/usr/bin/deno"];
  assert.ok(
    flags["launching-broker"]!.includes(`--allow-run=${started.join(",")}`),
    flags["launching-broker"]!.join(),
  );
  assert.ok(!flags["broker"]!.some((flag) => flag.startsWith("--allow-run")));
  const named = ["/opt/b", "/opt/b/bin", "/opt/fixed/bin", "/opt/s", "/opt/s/main.ts", DEFINITIONS, SOCKETS];
  for (const role of ["broker", "launching-broker"]) {
    for (const path of named) assert.ok(reads(flags[role]).includes(path), `${role} reads ${path}`);
  }
  for (const path of started) assert.ok(reads(flags["launching-broker"]).includes(path), path);
});

test("permissionsCheck() lets brokers look at the data directory, or at what is above it so far", async () => {
  const state = "/home/ann/.local/state";
  const there = fakeHost({ kindOf: (path) => Promise.resolve(path === state ? "directory" : undefined) });
  const { broker } = await flagsOf(there);
  assert.ok(reads(broker).includes(`${state}/running-process`) && reads(broker).includes(state));
  assert.ok(!reads(broker).includes("/home/ann/.local"));
});

test("permissionsCheck() looks for Deno on PATH when it runs in another runtime", async () => {
  const elsewhere = { denoPath: () => Promise.resolve(undefined) };
  const found = fakeHost({
    ...elsewhere,
    kindOf: (path) => Promise.resolve(path === "/usr/bin/deno" ? "other" : undefined),
  });
  assert.ok(reads((await flagsOf(found))["backend"]).includes("/usr/bin/deno"));
  assert.deepEqual(reads((await flagsOf(fakeHost(elsewhere)))["backend"]), [SOCKETS]);
});
