import { arch, release, totalmem } from "node:os";
import process from "node:process";
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import type { SortedJsonObject, SortedJsonValue } from "../../broker/admin/sorted_json.ts";
import { readBoundedFile } from "../../host/bounded_file.ts";
import { hostIdentity } from "../../host/host_identity.ts";
import { hostValues } from "../../host/host_values.ts";
import {
  crashDumpDirectory,
  daemonDataDirectory,
  manifestDirectory,
  serviceDefinitionDirectory,
} from "../../naming/directories.ts";
import { endpointDirectory } from "../../naming/endpoint_path.ts";
import { lifecycleLogPath } from "../../naming/lifecycle_log_path.ts";
import type { Environment } from "../../naming/platform.ts";
import { scanCentral } from "../../service/manifest_registry.ts";
import { loadTransport } from "../../transport/load_transport.ts";
import { runtime } from "../../transport/runtime.ts";
import { LIBRARY_VERSION } from "../../version.ts";
import { CacheManifestSchema } from "../../wire/gen/broker_v1_manifest_pb.ts";

/** The variables that decide where things are and what is done; no others are looked at. */
const VARIABLES = /^(?:RUNNING_PROCESS_\w+|XDG_\w+|HOME|TMPDIR|PATH|INVOCATION_ID)$/;

/** This host as a bundle shows it, before it is redacted. A fact that cannot be had is its error's text. */
export async function hostSummary(): Promise<SortedJsonObject> {
  const host = hostValues();
  return {
    arch: arch(),
    directories: {
      crash_dumps: crashDumpDirectory(host).path,
      daemon_data: daemonDataDirectory(host).path,
      manifests: manifestDirectory(host).path,
      service_definitions: serviceDefinitionDirectory(host).path,
      sockets: fact(() => endpointDirectory(host)),
    },
    environment: chosen(process.env),
    library_version: LIBRARY_VERSION,
    memory_bytes: fact(totalmem),
    native_calls: await nativeCalls(),
    os_release: fact(release),
    platform: process.platform,
    runtime,
    runtime_version: process.versions[runtime] ?? process.version,
    uid: fact(() => host.uid),
  };
}

/** The manifests of the central registry, before they are redacted (protocol 9.5). */
export async function manifestRows(): Promise<SortedJsonObject[]> {
  const entries = await scanCentral(manifestDirectory(hostValues()).path);
  return entries.map((entry) => {
    if (!entry.ok) return { error: entry.error.detail, path: entry.path };
    const manifest: JsonValue = toJson(CacheManifestSchema, entry.manifest, { useProtoFieldName: true });
    return { manifest, path: entry.path };
  });
}

/** Most that is read of the log: it is put aside when it is half as long. */
const LIFECYCLE_LOG_BYTES_MAX = 2 * 1024 * 1024;

/** What brokers on this host have noted of backends; `undefined` when there is no log that can be read. */
export async function lifecycleEvents(): Promise<SortedJsonValue[] | undefined> {
  let text: string;
  try {
    const bytes = await readBoundedFile(lifecycleLogPath(hostValues()), LIFECYCLE_LOG_BYTES_MAX);
    text = new TextDecoder().decode(bytes);
  } catch {
    // Nothing was noted yet, or nobody may look: what the broker remembers stands in.
    return undefined;
  }
  return text.split("\n").filter((line) => line !== "").map(eventOf);
}

/** A line that is no JSON, as one that was cut, is kept as a text. */
function eventOf(line: string): SortedJsonValue {
  try {
    return JSON.parse(line) as SortedJsonValue;
  } catch {
    return line;
  }
}

/** What makes the hashes of this host's identities its own. */
export async function redactionSalt(): Promise<string> {
  try {
    return (await hostIdentity()).machineId;
  } catch {
    // A runtime that forbids looking: the hashes then say less about the host, and are compared less well.
    return "";
  }
}

/** Whether they work, or what to install or allow. */
async function nativeCalls(): Promise<string> {
  try {
    return (await loadTransport()).nativeMissing ?? "working";
  } catch (error) {
    return (error as Error).message;
  }
}

function fact(read: () => SortedJsonValue): SortedJsonValue {
  try {
    return read();
  } catch (error) {
    return (error as Error).message;
  }
}

function chosen(environment: Environment): SortedJsonObject {
  const entries = Object.entries(environment).filter(([name]) => VARIABLES.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? ""]));
}
