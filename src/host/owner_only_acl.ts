// This module has no I/O.

/** The access list of a private directory: protected, and everything for its owner (protocol 3.6). */
export const OWNER_ONLY_SDDL = "D:P(A;;FA;;;OW)";

/** The one entry a private directory may have; Windows prints "all file access" in either way. */
const OWNER_ENTRIES = ["(A;;FA;;;OW)", "(A;;0x1f01ff;;;OW)"];

/** Whether an access list as SDDL text admits the owner and nobody else (protocol 3.6). */
export function isOwnerOnlyAcl(sddl: string): boolean {
  const entries = sddl.split("(A;;").length - 1;
  return sddl.startsWith("D:P") && entries === 1 && OWNER_ENTRIES.some((entry) => sddl.includes(entry));
}
