// This module has no I/O.
import { CAPABILITY_HANDLE_PASSING } from "../wire/constants.ts";

/** Capability bits in words: `none`, `0x1 [HANDLE_PASSING]`, `0x3 [HANDLE_PASSING, unknown:0x2]` (protocol 10.2). */
export function capabilitiesText(bits: bigint): string {
  if (bits === 0n) return "none";
  const unknown = bits & ~CAPABILITY_HANDLE_PASSING;
  const names = [
    ...((bits & CAPABILITY_HANDLE_PASSING) === 0n ? [] : ["HANDLE_PASSING"]),
    ...(unknown === 0n ? [] : [`unknown:0x${unknown.toString(16)}`]),
  ];
  return `0x${bits.toString(16)} [${names.join(", ")}]`;
}
