import { dirname } from "node:path";
import { writeFileAtomically } from "../host/atomic_file.ts";
import { readBoundedFile } from "../host/bounded_file.ts";
import { hostPlatform } from "../host/host_platform.ts";
import { osErrorText } from "../host/os_error_text.ts";
import { type DirectoryAccess, directoryAccess } from "../host/private_directory.ts";
import { joinPath } from "../naming/join_path.ts";
import { type CacheManifest, CacheManifestSchema } from "../wire/gen/broker_v1_manifest_pb.ts";
import { encodeMessage } from "../wire/strict_decode.ts";
import { ManifestError } from "./manifest_error.ts";
import { openManifest, sealManifest } from "./manifest_seal.ts";

/** The manifest's name inside a cache root. */
const ROOT_MANIFEST_FILE = ".running-process-manifest.pb";

/** The largest file believed to be a manifest; one with a thousand roots has about 200 kB. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Reads a manifest and verifies its digest (protocol 9.3).
 *
 * In Deno it requires `--allow-read` for the file.
 *
 * @param path The file.
 * @throws {ManifestError} With kind `Io`, `Decode`, `SchemaTooNew` or `Corruption`.
 */
export async function readManifest(path: string): Promise<CacheManifest> {
  let bytes: Uint8Array;
  try {
    bytes = await readBoundedFile(path, FILE_BYTES_MAX);
  } catch (error) {
    throw asIoError(error);
  }
  return openManifest(bytes);
}

/**
 * Seals a manifest and replaces a file with it, whole (protocol 9.4).
 *
 * In Deno it requires `--allow-read` and `--allow-write` for the directory.
 *
 * @param path The file. Its missing directories are created.
 * @param manifest The manifest, sealed or not.
 * @throws {ManifestError} With kind `Io`, `Encode` or `MissingParent`.
 */
export async function writeManifest(path: string, manifest: CacheManifest): Promise<void> {
  if (path === "" || dirname(path) === path) {
    throw new ManifestError("MissingParent", `manifest path has no parent: ${path}`);
  }
  const bytes = encodeMessage(CacheManifestSchema, sealManifest(manifest));
  try {
    await writeFileAtomically(path, bytes);
  } catch (error) {
    throw asIoError(error);
  }
}

/**
 * Writes a manifest into its cache root, which is made private (protocol 9.1).
 *
 * @param cacheRoot The directory; created when missing.
 * @param manifest The manifest, sealed or not.
 * @param access How directories are kept private.
 * @returns The file's path.
 * @throws {ManifestError} With kind `Io` or `Encode`.
 */
export async function writeManifestToRoot(
  cacheRoot: string,
  manifest: CacheManifest,
  access: DirectoryAccess = directoryAccess,
): Promise<string> {
  try {
    await access.makePrivate(cacheRoot);
  } catch (error) {
    throw asIoError(error);
  }
  const path = joinPath(hostPlatform(), cacheRoot, ROOT_MANIFEST_FILE);
  await writeManifest(path, manifest);
  return path;
}

/** An error of the system as one about the manifest; an error that is one already is left as it is. */
export function asIoError(error: unknown): ManifestError {
  if (error instanceof ManifestError) return error;
  return new ManifestError("Io", `manifest I/O failed: ${osErrorText(error)}`, { cause: error });
}
