// This module has no I/O.
import type { PeerCredentials } from "./local_stream.ts";

/** What a listener needs of the kernel that no runtime offers; each takes a descriptor that stays its owner's. */
export interface ListenerCalls {
  /**
   * Keeps a descriptor from the programs that this process starts.
   *
   * @throws {BrokerError} With code "os".
   */
  keepFromChildren(fd: number): void;
  /** A second descriptor of the same open socket; `undefined` when there is none to be had. */
  copy(fd: number): number | undefined;
  /** Whether a connection waits on a listening socket to be accepted. */
  hasWaiting(fd: number): boolean;
  /**
   * Lets a listening socket accept nothing, although connections wait on it, until the result is called once;
   * `undefined` when that cannot be. Meanwhile the number is another socket's.
   */
  holdBack?(fd: number): (() => void) | undefined;
  /** Who is at the other end of a connected socket; `undefined` when the kernel does not say. */
  peerOf(fd: number): PeerCredentials | undefined;
}
