import type { DialOutcome, DoctorHost } from "../../src/doctor/doctor_host.ts";
import type { Environment, HostValues } from "../../src/naming/platform.ts";

/** A user's hash, as names carry it. */
export const USER_HASH = "0123456789abcdef";

/** Where the fake host has its sockets. */
export const SOCKETS = "/run/user/1000/running-process/broker";

/** What nobody listens at. */
export const NOBODY: DialOutcome = { kind: "unreachable", isRefused: false, detail: "ENOENT" };

/** The fake host's values. */
export function fakeValues(changes: Partial<HostValues> = {}): HostValues {
  const environment: Environment = { HOME: "/home/ann", XDG_RUNTIME_DIR: "/run/user/1000", PATH: "/usr/bin" };
  return { platform: "linux", environment, uid: 1000, home: "/home/ann", ...changes };
}

/** The same with other variables beside its own. */
export function withVariables(variables: Environment): Pick<DoctorHost, "values"> {
  const values = fakeValues();
  return { values: { ...values, environment: { ...values.environment, ...variables } } };
}

/** A healthy host on which nothing runs and nothing is defined. */
export function fakeHost(changes: Partial<DoctorHost> = {}): DoctorHost {
  return {
    values: fakeValues(),
    pid: 4242,
    userHash: () => Promise.resolve(USER_HASH),
    dial: () => Promise.resolve(NOBODY),
    kindOf: () => Promise.resolve(undefined),
    listNames: () => Promise.reject(new Error("nothing is there")),
    isPrivate: () => Promise.resolve(true),
    realPath: (path) => Promise.resolve(path),
    readText: () => Promise.reject(new Error("nothing is there")),
    loadDefinition: () => Promise.reject(new Error("nothing is defined")),
    inodes: () => Promise.resolve({ supported: true, inodesTotal: 1000n, inodesFree: 900n }),
    killMode: () => Promise.reject(new Error("no systemd")),
    nativeCalls: () => Promise.resolve({ ok: true, binding: "a fake" }),
    libraryPath: () => Promise.resolve("/lib/libc.so.6"),
    denoPath: () => Promise.resolve("/usr/bin/deno"),
    ...changes,
  };
}
