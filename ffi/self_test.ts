// This module has no I/O.

import type { FdPassing } from "./fd_passing.ts";
import type { PeerCredentialsResult } from "./peer_credentials.ts";
import type { SocketCalls } from "./socket_calls.ts";
import type { SocketPairResult } from "./socket_pair.ts";

/** The calls that are tested, and what they must find. */
export interface SelfTestParts {
  readonly sockets: SocketCalls;
  readonly fdPassing: FdPassing;
  socketPair(): SocketPairResult;
  peerCredentials(fd: number): PeerCredentialsResult;
  effectiveUserId(): number;
}

/** Whether native calls work in this process. */
export type SelfTestResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const PREFIX = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
const MARK = Uint8Array.of(0x5a);

/**
 * Passes a descriptor through a pair of sockets, uses it and asks who the peer is.
 *
 * Struct layouts, symbol tables and the reading of errno are all wrong in ways that only show at run time; this
 * shows them before the first connection does. Leaves no descriptor open.
 *
 * @param processId The id of this process, which the peer must be.
 */
export function selfTest(parts: SelfTestParts, processId: number): SelfTestResult {
  const open = new Set<number>();
  try {
    const reason = findFault(parts, processId, open);
    return reason === undefined ? { ok: true } : { ok: false, reason };
  } finally {
    for (const fd of open) parts.sockets.closeFd(fd);
  }
}

function findFault(parts: SelfTestParts, processId: number, open: Set<number>): string | undefined {
  const { sockets, fdPassing } = parts;
  const channel = parts.socketPair();
  if (!channel.ok) return `socketpair returned ${channel.name}`;
  const [near, far] = channel.fds;
  open.add(near).add(far);
  const passed = parts.socketPair();
  if (!passed.ok) return `socketpair returned ${passed.name}`;
  const [mine, theirs] = passed.fds;
  open.add(mine).add(theirs);

  const early = fdPassing.receive(far, PREFIX.length, { fdsMax: 1 });
  if (early.kind !== "again") {
    return `A receive from an empty socket answered "${early.kind}", wanted "again"`;
  }
  const sent = fdPassing.sendFd(near, PREFIX, theirs);
  if (!sent.ok) return `sendmsg with a descriptor returned ${sent.name}`;
  open.delete(theirs);
  sockets.closeFd(theirs);

  const received = fdPassing.receive(far, PREFIX.length, { fdsMax: 1 });
  if (received.kind !== "data") return `A receive of a descriptor answered "${received.kind}", wanted "data"`;
  for (const fd of received.fds) open.add(fd);
  const [adopted] = received.fds;
  if (adopted === undefined) return "A message with a descriptor arrived without it";
  if (!sameBytes(received.bytes, PREFIX)) return "A message with a descriptor arrived with other bytes";

  sockets.sendBytes(adopted, MARK);
  const echoed = sockets.receiveBytes(mine, MARK.length);
  if (echoed.kind !== "data" || !sameBytes(echoed.bytes, MARK)) {
    return `A byte sent through a passed descriptor answered "${echoed.kind}", wanted the byte`;
  }
  return findCredentialsFault(parts, far, processId);
}

function findCredentialsFault(parts: SelfTestParts, fd: number, processId: number): string | undefined {
  const result = parts.peerCredentials(fd);
  if (!result.ok) return `Asking for peer credentials returned ${result.name}`;
  const { pid, uid } = result.peer;
  if (uid !== parts.effectiveUserId()) return `Peer credentials name another user than this process's`;
  if (pid !== 0 && pid !== processId) return `Peer credentials name process ${pid}, wanted ${processId}`;
  return undefined;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
