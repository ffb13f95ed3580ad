// This module has no I/O.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { BrokerError } from "../errors.ts";
import { EXE_HASH_ALGORITHM, EXE_HASH_BYTES } from "../wire/constants.ts";
import { type DaemonProcess, DaemonProcessSchema } from "../wire/gen/broker_v1_manifest_pb.ts";
import { hasBlake3, requireDaemonIdentity } from "./daemon_digest.ts";

const UINT32_MAX = 2 ** 32 - 1;
const UINT64_MAX = 2n ** 64n - 1n;

/** Strings, which are passed over, and integers of 16 digits or more, which a JavaScript number may not hold. */
const STRING_OR_LONG_INTEGER = /"(?:[^"\\]|\\.)*"|-?[1-9]\d{15,}(?![\d.eE])/g;

type Json = Readonly<Record<string, unknown>>;

/**
 * The text of an identity file (protocol 8.3).
 *
 * With a SHA-256 only it is the file of versions up to 4.10.2, with a BLAKE3 only that of later ones. With both it
 * has the keys of both, and each version reads its own: neither minds keys it does not know.
 *
 * @throws {IdentityError} When the identity lacks its endpoint or a digest.
 */
export function renderIdentity(identity: DaemonProcess): string {
  requireDaemonIdentity(identity);
  const endpoint = identity.ipcEndpoint!;
  const value = {
    pid: identity.pid,
    exe_path: identity.exePath,
    ...digestKeys(identity),
    boot_id: identity.bootId,
    ipc_endpoint: { namespace_id: endpoint.namespaceId, path: endpoint.path },
    started_at_unix_ms: String(identity.startedAtUnixMs),
    idle_timeout_secs: identity.idleTimeoutSecs ?? null,
  };
  // JSON.stringify takes no bigint. Quotes inside of strings are escaped, so only the key itself can match.
  return JSON.stringify(value, null, 2).replace(/("started_at_unix_ms": )"(\d+)"/, "$1$2");
}

/**
 * The identity in the text of an identity file of any version (protocol 8.3).
 *
 * @throws {BrokerError} With code "protocol" when the text is not an identity.
 */
export function parseIdentity(text: string): DaemonProcess {
  const value = parseJson(text);
  const sha256 = optional(value, "exe_sha256", digestBytes) ??
    optional(value, "legacy_exe_sha256", digestBytes);
  const blake3 = optional(value, "exe_hash", digestBytes);
  const idleTimeoutSecs = optional(value, "idle_timeout_secs", uint32);
  const endpoint = required(value, "ipc_endpoint", object);
  const identity: MessageInitShape<typeof DaemonProcessSchema> = {
    pid: required(value, "pid", uint32),
    exePath: required(value, "exe_path", string),
    bootId: required(value, "boot_id", string),
    ipcEndpoint: {
      namespaceId: required(endpoint, "namespace_id", string),
      path: required(endpoint, "path", string),
    },
    startedAtUnixMs: required(value, "started_at_unix_ms", uint64),
  };
  const hasSha256 = blake3 === undefined || sha256?.some((byte) => byte !== 0) === true;
  if (sha256 !== undefined && hasSha256) identity.exeSha256 = sha256;
  if (blake3 !== undefined) {
    identity.exeHashAlgorithm = required(value, "exe_hash_algorithm", string);
    identity.exeHash = blake3;
  }
  if (idleTimeoutSecs !== undefined) identity.idleTimeoutSecs = idleTimeoutSecs;
  const message = create(DaemonProcessSchema, identity);
  requireDaemonIdentity(message);
  return message;
}

function digestKeys(identity: DaemonProcess): Json {
  const { exeSha256, exeHash } = identity;
  if (!hasBlake3(identity)) return { exe_sha256: [...exeSha256] };
  const hasSha256 = exeSha256.length === EXE_HASH_BYTES;
  return {
    ...(hasSha256 ? { exe_sha256: [...exeSha256] } : {}),
    exe_hash_algorithm: EXE_HASH_ALGORITHM,
    exe_hash: [...exeHash],
    legacy_exe_sha256: [...(hasSha256 ? exeSha256 : new Uint8Array(EXE_HASH_BYTES))],
  };
}

function parseJson(text: string): Json {
  const exact = text.replace(STRING_OR_LONG_INTEGER, (token) => token[0] === '"' ? token : `["${token}"]`);
  let value: unknown;
  try {
    value = JSON.parse(exact);
  } catch (cause) {
    throw new BrokerError("protocol", "Cannot read an identity: the text is not JSON", { cause });
  }
  return object(value) ?? wrong("the text is not a JSON object");
}

/** Reads a value, or `undefined` when it has another type. */
type Reader<Value> = (value: unknown) => Value | undefined;

function required<Value>(from: Json, key: string, read: Reader<Value>): Value {
  return read(from[key]) ?? wrong(`"${key}" is missing or has a wrong value`);
}

function optional<Value>(from: Json, key: string, read: Reader<Value>): Value | undefined {
  const value = from[key];
  return value === undefined || value === null ? undefined : required(from, key, read);
}

function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null ? value as Json : undefined;
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function uint32(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= UINT32_MAX
    ? value as number
    : undefined;
}

/** Long integers arrive as `["digits"]`, see {@linkcode STRING_OR_LONG_INTEGER}. */
function uint64(value: unknown): bigint | undefined {
  const digits = Array.isArray(value) && value.length === 1 ? value[0] as unknown : undefined;
  if (typeof digits !== "string" && !Number.isSafeInteger(value)) return undefined;
  if (typeof digits === "string" && !/^\d{16,20}$/.test(digits)) return undefined;
  const number = BigInt(typeof digits === "string" ? digits : value as number);
  return number >= 0n && number <= UINT64_MAX ? number : undefined;
}

function digestBytes(value: unknown): Uint8Array | undefined {
  if (!Array.isArray(value) || value.length !== EXE_HASH_BYTES) return undefined;
  return value.every((byte) => uint32(byte) !== undefined && byte <= 0xff)
    ? Uint8Array.from(value)
    : undefined;
}

function wrong(seen: string): never {
  throw new BrokerError("protocol", `Cannot read an identity: ${seen}`);
}
