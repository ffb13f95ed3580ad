import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { create } from "@bufbuild/protobuf";
import { type HostIdentity, HostIdentitySchema } from "../wire/gen/broker_v1_manifest_pb.ts";
import { bootId, isSameBoot } from "./boot_id.ts";
import { readFact, type SystemAccess, systemAccess, throwIfDenied, windowsTool } from "./system_access.ts";

/** What stands for a fact that the host does not tell (protocol 8.6). */
const UNKNOWN = "unknown";

/**
 * Who this host is, as manifests record it (protocol 8.6).
 *
 * In Deno it requires `--allow-sys=hostname`, `--allow-read`, and `--allow-ffi` or `--allow-all` for what Linux has in `/proc`.
 *
 * @param path The file whose device is recorded; the working directory when left out.
 * @param system The host to ask.
 */
export async function hostIdentity(
  path: string = process.cwd(),
  system: SystemAccess = systemAccess,
): Promise<HostIdentity> {
  return create(HostIdentitySchema, {
    hostname: hostName(system),
    machineId: await hostMachineId(system),
    bootId: await bootId(system),
    fsDevId: await deviceOf(path),
    namespaceId: system.platform === "linux" ? await namespaces(system) : "",
  });
}

/** Whether something recorded on `recorded` belongs to the host `current` and its boot (protocol 9.5). */
export function isSameHost(recorded: HostIdentity | undefined, current: HostIdentity): boolean {
  if (recorded === undefined) return true;
  const isSameMachine = recorded.machineId === "" || recorded.machineId === current.machineId;
  return isSameMachine && isSameBoot(recorded.bootId, current.bootId);
}

function hostName(system: SystemAccess): string {
  return system.platform === "windows" ? system.environment["COMPUTERNAME"] ?? UNKNOWN : hostname();
}

async function hostMachineId(system: SystemAccess): Promise<string> {
  switch (system.platform) {
    case "linux":
      return await readFact(system, "/etc/machine-id") ??
        await readFact(system, "/var/lib/dbus/machine-id") ?? UNKNOWN;
    case "macos":
      return `macos-${hostname()}`;
    case "windows":
      return await machineGuid(system) ?? system.environment["COMPUTERNAME"] ?? UNKNOWN;
  }
}

async function machineGuid(system: SystemAccess): Promise<string | undefined> {
  const key = "HKLM\\SOFTWARE\\Microsoft\\Cryptography";
  try {
    const output = await system.run(windowsTool(system, "reg.exe"), ["query", key, "/v", "MachineGuid"]);
    return /MachineGuid\s+REG_SZ\s+(\S+)/.exec(output)?.[1];
  } catch {
    // Not readable: the computer's name stands in, as in the reference.
    return undefined;
  }
}

async function deviceOf(path: string): Promise<bigint> {
  try {
    return (await stat(path, { bigint: true })).dev;
  } catch {
    // The reference records 0 for a path it cannot look at.
    return 0n;
  }
}

async function namespaces(system: SystemAccess): Promise<string> {
  const [mount, pid] = await Promise.all([
    namespaceLink(system, "mnt", "mntns:unknown"),
    namespaceLink(system, "pid", "pidns:unknown"),
  ]);
  return `${mount}:${pid}`;
}

async function namespaceLink(system: SystemAccess, kind: string, fallback: string): Promise<string> {
  const path = `/proc/self/ns/${kind}`;
  try {
    return await system.readLink(path);
  } catch (error) {
    throwIfDenied(error, path);
    return fallback;
  }
}
