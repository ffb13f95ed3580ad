// This module has no I/O.
import { daemonDataDirectory } from "../naming/directories.ts";
import { endpointDirectory } from "../naming/endpoint_path.ts";
import { type DoctorCheck, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { definedPrograms, findProgram } from "./defined_programs.ts";
import { permissionFlags } from "./permission_flags.ts";

/** Name of the check, and of its area. */
export const PERMISSIONS_CHECK = "runtime:permissions";

/** What a shell takes as it is. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** Ours, behind those of the protocol: the least that Deno has to allow on this host, in flags to copy. */
export async function permissionsCheck(host: DoctorHost, definitionsDirectory: string): Promise<DoctorCheck> {
  if (host.values.platform === "windows") return pass(PERMISSIONS_CHECK, "not applicable on Windows");
  const library = await host.libraryPath();
  if (library === undefined) {
    return warn(
      PERMISSIONS_CHECK,
      "the C library is at none of the known places, so that brokers and backends cannot be told what to allow; " +
        "run them with --allow-all",
    );
  }
  const data = daemonDataDirectory(host.values).path;
  const flags = permissionFlags({
    runtimeDirectory: endpointDirectory(host.values),
    definitionsDirectory,
    dataDirectory: data,
    dataDirectoriesAbove: await aboveUpToExisting(host, data),
    library,
    executable: await denoPath(host),
    ...await definedPrograms(host, definitionsDirectory),
  });
  const parts = Object.entries(flags).map(([role, words]) => `${role}: ${words.map(shellWord).join(" ")}`);
  return { ...pass(PERMISSIONS_CHECK, `the least for deno run here; ${parts.join("; ")}`), flags };
}

/** The directories above one that does not exist, up to the first that does. */
async function aboveUpToExisting(host: DoctorHost, directory: string): Promise<string[]> {
  const folders: string[] = [];
  for (let folder = directory; await host.kindOf(folder) === undefined;) {
    const end = folder.lastIndexOf("/");
    if (end < 0 || folder === "/") break;
    folder = end === 0 ? "/" : folder.slice(0, end);
    folders.push(folder);
  }
  return folders;
}

/** Where Deno is; when it is not on this host either, nothing has to be read for it. */
async function denoPath(host: DoctorHost): Promise<string> {
  const own = await host.denoPath();
  if (own !== undefined) return own;
  const found = await findProgram(host, "deno");
  return found === undefined ? "" : await host.realPath(found);
}

function shellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
