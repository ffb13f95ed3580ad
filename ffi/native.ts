import process from "node:process";
import { createDial, type Dial } from "./dial.ts";
import { ErrnoTable } from "./errno.ts";
import { createFdPassing, type FdPassing } from "./fd_passing.ts";
import { createFileLook, type FileLook } from "./file_look.ts";
import { createFileLock, type FileLockResult } from "./file_lock.ts";
import { type Layout, layoutFor } from "./layout.ts";
import type { Libc, LibcBinding } from "./libc.ts";
import { loadLibc } from "./load_libc.ts";
import { OwnedFd } from "./owned_fd.ts";
import { createPeerCredentials, type PeerCredentialsResult } from "./peer_credentials.ts";
import { createProcessWatch, type ProcessWatch } from "./process_watch.ts";
import { selfTest } from "./self_test.ts";
import { createSocketCalls, type SocketCalls } from "./socket_calls.ts";
import { createSocketPair, type SocketPairResult } from "./socket_pair.ts";

/** Everything this project calls in a Unix kernel that the runtimes do not offer. */
export interface Native {
  /** Through which foreign function interface. */
  readonly binding: LibcBinding;
  /** The kernel's error numbers. */
  readonly errno: ErrnoTable;
  /** Calls on connected sockets. */
  readonly sockets: SocketCalls;
  /** Passing descriptors. */
  readonly fdPassing: FdPassing;
  /** Who is at the other end of a connected socket. */
  peerCredentials(fd: number): PeerCredentialsResult;
  /** Connects to a Unix socket, on Linux. */
  readonly dial: Dial;
  /** Two connected stream sockets. */
  socketPair(): SocketPairResult;
  /** Locks an open file for this opening of it alone, without waiting; closing the descriptor unlocks it. */
  lockFile(fd: number): FileLockResult;
  /** What files look like from outside. */
  readonly fileLook: FileLook;
  /** Whether processes still run. */
  readonly processWatch: ProcessWatch;
  /** Takes ownership of a descriptor. */
  ownFd(fd: number): OwnedFd;
  /** The user this process was started by. */
  userId(): number;
  /** The user this process acts as, which a peer's credentials are compared with. */
  effectiveUserId(): number;
}

/** The native calls, or what to install or allow to get them. */
export type NativeResult =
  | { readonly ok: true; readonly native: Native }
  | { readonly ok: false; readonly reason: string };

let loading: Promise<NativeResult> | undefined;

/**
 * Loads the native calls and tests them, once per process. Never rejects.
 *
 * Permissions and packages: see {@linkcode loadLibc}.
 */
export function loadNative(): Promise<NativeResult> {
  return loading ??= prepareNative();
}

async function prepareNative(): Promise<NativeResult> {
  const { platform, arch, pid } = process;
  const layout = layoutFor(platform, arch);
  if (layout === undefined) {
    return { ok: false, reason: `Native calls are not available on ${platform} ${arch}` };
  }
  const loaded = await loadLibc();
  if (!loaded.ok) return loaded;
  return verifyNative(() => composeNative(loaded.libc, layout, loaded.binding), pid);
}

/** Composes native calls and lets them through only if they pass the self-test. Never throws. */
export function verifyNative(compose: () => Native, processId: number): NativeResult {
  try {
    const native = compose();
    const result = selfTest(native, processId);
    if (result.ok) return { ok: true, native };
    return { ok: false, reason: `Native calls do not work here (${native.binding}): ${result.reason}` };
  } catch (error) {
    return { ok: false, reason: `Native calls do not work here: ${String(error)}` };
  }
}

/** Puts the native calls together over a C library. */
export function composeNative(libc: Libc, layout: Layout, binding: LibcBinding): Native {
  const errno = new ErrnoTable(layout.platform);
  const sockets = createSocketCalls(libc, layout, errno);
  const closer = { sockets, errno };
  return {
    binding,
    errno,
    sockets,
    fdPassing: createFdPassing(libc, layout, errno),
    peerCredentials: createPeerCredentials(libc, layout, errno),
    dial: createDial(libc, layout, errno),
    socketPair: createSocketPair(libc, layout, errno),
    lockFile: createFileLock(libc, layout, errno),
    fileLook: createFileLook(libc),
    processWatch: createProcessWatch(libc, layout, errno),
    ownFd: (fd) => new OwnedFd(fd, closer),
    userId: () => libc.getuid(),
    effectiveUserId: () => libc.geteuid(),
  };
}
