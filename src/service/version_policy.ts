// This module has no I/O.

/** Why a version may not be served (protocol 4.4), in the reference's names. */
export type VersionBlock = "BelowMinVersion" | "OutsideAllowList";

/** The part of a service definition that decides on versions. */
export interface VersionPolicy {
  /** The lowest version allowed; empty for any. */
  readonly minVersion: string;
  /** The only versions allowed; empty for any. */
  readonly versionAllowList: readonly string[];
}

/** Numbers of a version are 64-bit; larger ones cannot be compared. */
const NUMBER_MAX = 2n ** 64n - 1n;

/**
 * Checks a wanted version against a service's policy (protocol 4.4).
 *
 * The minimum is compared by its three numbers only, so `1.10.0-rc.1` satisfies `1.10.0`, and what cannot be
 * compared passes. The list is compared literally. Both must allow the version.
 *
 * @param policy The service definition.
 * @param wanted The version asked for.
 * @returns What blocks the version, or `undefined`.
 */
export function checkVersionAllowed(policy: VersionPolicy, wanted: string): VersionBlock | undefined {
  if (policy.minVersion !== "" && isBelow(wanted, policy.minVersion)) return "BelowMinVersion";
  const { versionAllowList } = policy;
  if (versionAllowList.length > 0 && !versionAllowList.includes(wanted)) return "OutsideAllowList";
  return undefined;
}

function isBelow(wanted: string, minimum: string): boolean {
  const [numbers, floor] = [versionNumbers(wanted), versionNumbers(minimum)];
  if (numbers === undefined || floor === undefined) return false;
  const different = numbers.findIndex((number, index) => number !== floor[index]);
  return different >= 0 && numbers[different]! < floor[different]!;
}

function versionNumbers(version: string): bigint[] | undefined {
  const core = version.split("-", 1)[0]!.split(".");
  // The reference's number parser takes a leading plus.
  if (core.length !== 3 || !core.every((part) => /^\+?[0-9]+$/.test(part))) return undefined;
  const numbers = core.map((part) => BigInt(part.replace("+", "")));
  return numbers.every((number) => number <= NUMBER_MAX) ? numbers : undefined;
}
