// This module has no I/O.
import type { ListenerCalls } from "./listener_calls.ts";

/** Connections the kernel may hold ready for us: a herd of this size is not refused while we are busy. */
export const LISTEN_BACKLOG = 1024;

/** Told what a server meets. */
export interface ServerHooks<Accepted> {
  /** Takes a connection over; when it throws, that connection is dropped. */
  accepted(connection: Accepted): void;
  /** Told that accepting failed, with the system's word for it; the server goes on. Few runtimes tell. */
  failed(code: string): void;
}

/** A listening socket of a runtime's own API. */
export interface ListeningServer {
  /** Binds a path and listens. Rejects with the runtime's error. */
  listen(path: string): Promise<void>;
  /** Its descriptor, to use but not to close. */
  readonly fd: number;
  /** Stops accepting. */
  close(): void;
  /**
   * A server that accepts from the same queue, as this one does until it is closed: for runtimes that give up
   * accepting. `undefined` when there is none to be had, or no need of it.
   */
  acceptAgain?(calls: ListenerCalls): Promise<ListeningServer | undefined>;
}
