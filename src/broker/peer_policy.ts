// This module has no I/O.
import type { PeerCredentials } from "../transport/local_stream.ts";

/** Whom a broker listens to (protocol 6.3): processes of its own user, or any that the kernel names. */
export type PeerPolicy = "owner-only" | "allow-any";

/** Whether a peer is listened to. One without credentials never is: its pid could not be checked either. */
export function isPeerAllowed(
  policy: PeerPolicy,
  peer: PeerCredentials | undefined,
  ownUser: number,
): peer is PeerCredentials {
  return peer !== undefined && (policy === "allow-any" || peer.uid === ownUser);
}
