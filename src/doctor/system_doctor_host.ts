import { readdir, realpath, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import process from "node:process";
import { libcPaths, runsOnMusl } from "../../ffi/libc_paths.ts";
import { loadNative } from "../../ffi/native.ts";
import { ownExecutablePath } from "../host/executable.ts";
import { hostValues } from "../host/host_values.ts";
import { isNotFound } from "../host/os_error_text.ts";
import { directoryAccess } from "../host/private_directory.ts";
import { systemAccess } from "../host/system_access.ts";
import { userSidHash } from "../host/user.ts";
import { ServiceDefinitionLoader } from "../service/service_definition_loader.ts";
import { runtime } from "../transport/runtime.ts";
import { dialOnce } from "./dial_once.ts";
import type { DoctorHost, InodeFacts } from "./doctor_host.ts";

/**
 * The host this process runs on, as the doctor asks it.
 *
 * @param inodes How full the inode table is where a directory is, as brokers measure it.
 */
export function systemDoctorHost(inodes: (directory: string) => Promise<InodeFacts>): DoctorHost {
  return {
    values: hostValues(),
    pid: process.pid,
    userHash: () => userSidHash(),
    dial: dialOnce,
    kindOf,
    listNames: (directory) => readdir(directory),
    isPrivate: (directory) => directoryAccess.isPrivate(directory),
    realPath: (path) => realpath(path),
    readText: (path) => systemAccess.readText(path),
    loadDefinition: (directory, service) => new ServiceDefinitionLoader(directory).load(service),
    inodes,
    killMode: (unit) => systemAccess.run("systemctl", ["show", "-p", "KillMode", unit]),
    async nativeCalls() {
      const loaded = await loadNative();
      return loaded.ok ? { ok: true, binding: loaded.native.binding } : loaded;
    },
    libraryPath: () => Promise.resolve(libraryPath()),
    denoPath: () => runtime === "deno" ? ownExecutablePath() : Promise.resolve(undefined),
  };
}

async function kindOf(path: string): Promise<"directory" | "other" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "directory" : "other";
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function libraryPath(): string | undefined {
  const { platform, arch } = process;
  if (platform !== "linux" && platform !== "darwin") return undefined;
  const paths = libcPaths(platform, arch, platform === "linux" && runsOnMusl());
  // The library of macOS is no file: it is in the loader's cache.
  return platform === "darwin" ? paths[0] : paths.find((path) => existsSync(path));
}
