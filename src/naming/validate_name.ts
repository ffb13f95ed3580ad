// This module has no I/O.
import { invalidName } from "./endpoint_name_error.ts";

/** Longest service or instance name in bytes; the reference's limit. */
const NAME_BYTES_MAX = 64;
/** Length of a user hash: the 16 hexadecimal characters of `hash16`. */
const USER_HASH_BYTES = 16;

/** Finds what is wrong with a name: a reason string of protocol 3.3, or `undefined` for a good one. */
export type NameRule = (name: string) => string | undefined;

/** The rule for service and instance names: 1 to 64 of `[a-z0-9-]`. */
export const serviceNameFault: NameRule = (name): string | undefined => {
  if (name === "") return "service name must be at least 1 character";
  if (utf8Length(name) > NAME_BYTES_MAX) return "service name must be 64 characters or fewer";
  const offending = /[^a-z0-9-]/.exec(name)?.[0];
  if (offending === undefined) return undefined;
  return /[A-Z]/.test(offending)
    ? "uppercase letters are forbidden (case-only collisions with lowercase names would silently merge " +
      "under Windows named-pipe semantics)"
    : "only lowercase ASCII letters, digits, and '-' allowed";
};

/** The rule for the user hash inside names: 16 lower-case hexadecimal characters. */
export const userHashFault: NameRule = (hash): string | undefined => {
  if (utf8Length(hash) !== USER_HASH_BYTES) return "user_sid_hash must be exactly 16 hex characters";
  return /^[0-9a-f]+$/.test(hash) ? undefined : "user_sid_hash must be lowercase hex";
};

/** The rule for versions: `MAJOR.MINOR.PATCH`, then optionally `-` and 1 or more of `[a-z0-9.]`. */
export const versionFault: NameRule = (version): string | undefined => {
  if (version === "") return "version must not be empty";
  const dash = version.indexOf("-");
  const core = (dash < 0 ? version : version.slice(0, dash)).split(".");
  if (core.length !== 3) return "version core must be MAJOR.MINOR.PATCH";
  if (!core.every((part) => /^[0-9]+$/.test(part))) return "MAJOR/MINOR/PATCH must be non-empty digits";
  if (dash < 0) return undefined;
  const tail = version.slice(dash + 1);
  if (tail === "") return "pre-release suffix after '-' must not be empty";
  return /^[a-z0-9.]+$/.test(tail) ? undefined : "pre-release tail allows only [a-z0-9.]";
};

/**
 * Insists on a name that follows a rule.
 *
 * @throws {EndpointNameError} With kind `InvalidName`.
 */
export function requireName(rule: NameRule, name: string): void {
  const reason = rule(name);
  if (reason !== undefined) throw invalidName(name, reason);
}

/** Length in UTF-8, which is what the limits count. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
