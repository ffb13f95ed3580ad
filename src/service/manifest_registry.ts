import { readdir } from "node:fs/promises";
import { extname } from "node:path";
import { hostIdentity, isSameHost } from "../host/host_identity.ts";
import { hostPlatform } from "../host/host_platform.ts";
import { isNotFound } from "../host/os_error_text.ts";
import { type DirectoryAccess, directoryAccess } from "../host/private_directory.ts";
import { EndpointNameError } from "../naming/endpoint_name_error.ts";
import { joinPath } from "../naming/join_path.ts";
import { requireName, serviceNameFault, versionFault } from "../naming/validate_name.ts";
import type { CacheManifest, HostIdentity } from "../wire/gen/broker_v1_manifest_pb.ts";
import { ManifestError } from "./manifest_error.ts";
import { asIoError, readManifest, writeManifest } from "./manifest_file.ts";

/** One file of the registry, or the registry itself when it cannot be scanned. */
export type ManifestScanEntry =
  | { readonly path: string; readonly ok: true; readonly manifest: CacheManifest }
  | { readonly path: string; readonly ok: false; readonly error: ManifestError };

/**
 * The registry's file for one version of a service (protocol 9.1).
 *
 * @throws {ManifestError} With kind `InvalidName`.
 */
export function centralManifestPath(registry: string, service: string, version: string): string {
  try {
    requireName(serviceNameFault, service);
    requireName(versionFault, version);
  } catch (error) {
    if (!(error instanceof EndpointNameError)) throw error;
    throw new ManifestError("InvalidName", error.detail, { cause: error });
  }
  return joinPath(hostPlatform(), registry, `${service}-${version}.pb`);
}

/**
 * Writes a manifest into the central registry, which is made private (protocol 9.1).
 *
 * In Deno it requires `--allow-read` and `--allow-write` for the registry.
 *
 * @param registry The registry's directory; created when missing.
 * @param service The service's name.
 * @param version Its version.
 * @param manifest The manifest, sealed or not.
 * @param access How directories are kept private.
 * @returns The file's path.
 * @throws {ManifestError} With kind `Io`, `Encode`, `InvalidName` or `InsecureRegistry`.
 */
export async function writeManifestToCentral(
  registry: string,
  service: string,
  version: string,
  manifest: CacheManifest,
  access: DirectoryAccess = directoryAccess,
): Promise<string> {
  try {
    await access.makePrivate(registry);
    if (!await access.isPrivate(registry)) throw insecure(registry);
  } catch (error) {
    throw asIoError(error);
  }
  const path = centralManifestPath(registry, service, version);
  await writeManifest(path, manifest);
  return path;
}

/**
 * Reads every manifest of the central registry, keeping what went wrong with each (protocol 9.5).
 *
 * In Deno it requires `--allow-read` for the registry.
 *
 * @param registry The registry's directory.
 * @param access How directories are kept private.
 * @returns The entries sorted by path; none when there is no registry, and a single failed one for a registry that
 * is not private or cannot be read.
 */
export async function scanCentral(
  registry: string,
  access: DirectoryAccess = directoryAccess,
): Promise<ManifestScanEntry[]> {
  let names: string[];
  try {
    if (!await access.isPrivate(registry)) return [failed(registry, insecure(registry))];
    names = await readdir(registry);
  } catch (error) {
    return isNotFound(error) ? [] : [failed(registry, error)];
  }
  const entries: ManifestScanEntry[] = [];
  for (const name of names.filter((name) => extname(name) === ".pb").sort()) {
    entries.push(await scanOne(joinPath(hostPlatform(), registry, name)));
  }
  return entries;
}

/**
 * The readable manifests of the central registry that belong to this host and its current boot (protocol 9.5).
 *
 * @param registry The registry's directory.
 * @param host The host to compare with; this one when left out.
 * @param access How directories are kept private.
 */
export async function enumerateCentral(
  registry: string,
  host?: HostIdentity,
  access: DirectoryAccess = directoryAccess,
): Promise<CacheManifest[]> {
  const current = host ?? await hostIdentity();
  const entries = await scanCentral(registry, access);
  return entries.flatMap((entry) =>
    entry.ok && isSameHost(entry.manifest.host, current) ? [entry.manifest] : []
  );
}

async function scanOne(path: string): Promise<ManifestScanEntry> {
  try {
    return { path, ok: true, manifest: await readManifest(path) };
  } catch (error) {
    return failed(path, error);
  }
}

function failed(path: string, error: unknown): ManifestScanEntry {
  return { path, ok: false, error: asIoError(error) };
}

function insecure(registry: string): ManifestError {
  const detail = `central manifest registry has insecure permissions: ${registry}`;
  return new ManifestError("InsecureRegistry", detail);
}
