import { chmod, lstat, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { setImmediate } from "node:timers";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { BrokerError } from "../errors.ts";
import { claimName } from "./claim_name.ts";
import { checkSocketPath } from "./endpoint_limit.ts";
import type { ListenerCalls } from "./listener_calls.ts";
import { LISTEN_BACKLOG, type ListeningServer, type ServerHooks } from "./listening_server.ts";
import type { PublishedListener } from "./local_stream.ts";
import { osErrorCode } from "./os_error.ts";
import { ensurePrivateParent } from "./private_parent.ts";

/** What looking for a name says when the name, or its directory, is not there any more. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);
/** Without a new connection for so long, everybody who connected before the name went has been accepted. */
const QUIET_MS = 2;
/** Looks at most; whoever connected before the name went waits in a queue of that length. */
const QUIET_LOOKS_MAX = LISTEN_BACKLOG;

/** Connections accepted in a row before everything else has its turn. */
export const ACCEPTS_IN_A_ROW = 32;

/** What to do with what a listener accepts. */
export interface PublishOptions<Accepted> {
  /** Makes what accepts; its connections start paused, their first bytes and descriptors still in the kernel. */
  readonly createServer: (hooks: ServerHooks<Accepted>) => ListeningServer;
  /**
   * A request to send to whoever already serves the name, when its liveness is tested: some brokers
   * take a connection that hangs up without one for a failure of their own.
   */
  readonly politeRequest?: Uint8Array | undefined;
  /** What the kernel does with a listener that no runtime offers; `undefined` without native calls. */
  readonly calls?: ListenerCalls | undefined;
  /** Called for every accepted connection; when it throws, that connection is dropped. */
  onConnection(connection: Accepted): void;
  /** Called when accepting failed, with the system's word for it; the listener goes on. Few runtimes tell. */
  onAcceptError?(code: string): void;
}

/**
 * Listens under a private name in the endpoint's own directory, then gives the socket its public one.
 *
 * A runtime that closes a listener removes whatever has the path it was bound to; bound privately, it
 * can never remove a successor's endpoint. A name that somebody may still serve is never replaced.
 *
 * @throws {BrokerError} With code "config": the path is too long, its directory is not private, or the name is
 *   a file's; with code "endpoint-taken": somebody serves the name. The message says who and what to do.
 */
export async function publishSocket<Accepted>(
  endpoint: string,
  options: PublishOptions<Accepted>,
): Promise<PublishedListener> {
  checkSocketPath(endpoint, process.platform);
  const directory = await ensurePrivateParent(endpoint);
  const privatePath = join(directory, `.${randomBytes(4).toString("hex")}`);
  checkSocketPath(privatePath, process.platform);
  const listener = new UnixListener(endpoint, options);
  await listener.bind(privatePath);
  try {
    await chmod(privatePath, 0o600);
    const inode = inodeKey(await lstat(privatePath));
    const { politeRequest, calls } = options;
    await claimName(privatePath, endpoint, { politeRequest, peerOf: calls?.peerOf });
    listener.published(inode);
    return listener;
  } catch (error) {
    listener.abandon();
    if (BrokerError.is(error)) throw error;
    throw new BrokerError("os", `Cannot publish "${endpoint}": ${osErrorCode(error) ?? error}`, {
      cause: error,
    });
  }
}

/** A socket that listens, under a private name first. */
class UnixListener<Accepted> implements PublishedListener {
  readonly endpoint: string;
  readonly #options: PublishOptions<Accepted>;
  #server: ListeningServer;
  #inode = "";
  #accepted = 0;
  #giveBack: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(endpoint: string, options: PublishOptions<Accepted>) {
    this.endpoint = endpoint;
    this.#options = options;
    this.#server = options.createServer({
      accepted: (connection) => {
        if (++this.#accepted % ACCEPTS_IN_A_ROW === 0) this.#pause();
        options.onConnection(connection);
      },
      failed: (code) => options.onAcceptError?.(code),
    });
  }

  async bind(privatePath: string): Promise<void> {
    try {
      await this.#server.listen(privatePath);
    } catch (error) {
      const seen = osErrorCode(error) ?? error;
      const message = `Cannot listen for "${this.endpoint}" in its directory: ${seen}`;
      throw new BrokerError("os", message, { cause: error });
    }
    // Deno 2.9 lets every child inherit it: the name would look served as long as one of them runs.
    this.#options.calls?.keepFromChildren(this.#server.fd);
  }

  published(inode: string): void {
    this.#inode = inode;
  }

  abandon(): void {
    this.#resume();
    this.#server.close();
  }

  hasWaiting(): boolean {
    if (this.#closing !== undefined) return false;
    this.#resume();
    return this.#options.calls?.hasWaiting(this.#server.fd) ?? false;
  }

  async acceptAgain(): Promise<void> {
    const { calls } = this.#options;
    if (calls === undefined || this.#closing !== undefined) return;
    const next = await this.#server.acceptAgain?.(calls);
    if (next === undefined) return;
    const old = this.#server;
    this.#server = next;
    old.close();
    // The name may have been withdrawn meanwhile.
    if (this.#closing !== undefined) next.close();
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Bun accepts as long as somebody waits: measured, timers and other connections stood still for as long as a
   * process went on connecting.
   */
  #pause(): void {
    if (this.#giveBack !== undefined) return;
    this.#giveBack = this.#options.calls?.holdBack?.(this.#server.fd);
    if (this.#giveBack !== undefined) setImmediate(() => this.#resume());
  }

  /** Ends a pause. Before that the descriptor is not to be used, nor closed. */
  #resume(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  async #close(): Promise<void> {
    try {
      // The name goes while it is still served: before that nobody else may take it over.
      if (inodeKey(await lstat(this.endpoint)) === this.#inode) await unlink(this.endpoint);
      await this.#acceptWaiting();
    } catch (error) {
      if (!GONE.has(osErrorCode(error) ?? "")) throw error;
    } finally {
      this.#resume();
      this.#server.close();
    }
  }

  /** Whoever connected before the name went is accepted: closing would cut them off without a word. */
  async #acceptWaiting(): Promise<void> {
    const { calls } = this.#options;
    for (let looks = 0; looks < QUIET_LOOKS_MAX; looks++) {
      const seen = this.#accepted;
      await delay(QUIET_MS);
      // A timer may come before what the kernel has ready; what follows it comes behind that.
      await nextTurn();
      this.#resume();
      const isWaiting = calls?.hasWaiting(this.#server.fd) ?? false;
      if (!isWaiting && this.#accepted === seen) return;
    }
  }
}

function inodeKey(found: { dev: number | bigint; ino: number | bigint }): string {
  return `${found.dev}:${found.ino}`;
}
