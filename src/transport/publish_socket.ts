import { chmod, lstat, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import net, { type Server, type Socket } from "node:net";
import { BrokerError } from "../errors.ts";
import { claimName } from "./claim_name.ts";
import { checkSocketPath } from "./endpoint_limit.ts";
import type { LocalListener } from "./local_stream.ts";
import { osErrorCode } from "./os_error.ts";
import { ensurePrivateParent } from "./private_parent.ts";
import { socketFd } from "./socket_fd.ts";

/** Connections the kernel may hold ready for us: a herd of this size is not refused while we are busy. */
const BACKLOG = 1024;

/** What looking for a name says when the name, or its directory, is not there any more. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** What to do with what a listener accepts. */
export interface PublishOptions {
  /** Whether an accepted socket starts paused, its first bytes and descriptors still in the kernel. */
  readonly pauseOnConnect: boolean;
  /**
   * A request to send to whoever already serves the name, when its liveness is tested: some brokers
   * take a connection that hangs up without one for a failure of their own.
   */
  readonly politeRequest?: Uint8Array | undefined;
  /** Keeps the listener's descriptor from the programs that this process starts. */
  readonly keepFromChildren?: ((fd: number) => void) | undefined;
  /** Called for every accepted connection; when it throws, that connection is dropped. */
  onConnection(socket: Socket): void;
}

/**
 * Listens under a private name in the endpoint's own directory, then gives the socket its public one.
 *
 * A runtime that closes a listener removes whatever has the path it was bound to; bound privately, it
 * can never remove a successor's endpoint. A name that somebody may still serve is never replaced.
 *
 * @throws {BrokerError} With code "config": the path is too long, its directory is not private, or the
 *   name is taken; the message says by what and what to do.
 */
export async function publishSocket(endpoint: string, options: PublishOptions): Promise<LocalListener> {
  checkSocketPath(endpoint, process.platform);
  const directory = await ensurePrivateParent(endpoint);
  const privatePath = join(directory, `.${randomBytes(4).toString("hex")}`);
  checkSocketPath(privatePath, process.platform);
  const server = net.createServer({ pauseOnConnect: options.pauseOnConnect, allowHalfOpen: true });
  server.on("connection", (socket) => {
    try {
      options.onConnection(socket);
    } catch {
      // Gone before it was looked at: a descriptor that is no longer there belongs to nobody.
      socket.destroy();
    }
  });
  await listen(server, privatePath, endpoint);
  try {
    // Deno 2.9 lets every child inherit it: the name would look served as long as one of them runs.
    options.keepFromChildren?.(socketFd(server));
    await chmod(privatePath, 0o600);
    const inode = inodeKey(await lstat(privatePath));
    await claimName(privatePath, endpoint, options.politeRequest);
    return publishedListener(server, endpoint, inode);
  } catch (error) {
    server.close();
    if (BrokerError.is(error)) throw error;
    throw new BrokerError("os", `Cannot publish "${endpoint}": ${osErrorCode(error) ?? error}`, {
      cause: error,
    });
  }
}

function listen(server: Server, path: string, endpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) => {
      const message = `Cannot listen for "${endpoint}" in its directory: ${osErrorCode(error) ?? error}`;
      reject(new BrokerError("os", message, { cause: error }));
    };
    server.once("error", failed);
    server.listen({ path, backlog: BACKLOG }, () => {
      server.off("error", failed);
      server.on("error", () => {/* accept errors are transient: the listener goes on */});
      resolve();
    });
  });
}

function publishedListener(server: Server, endpoint: string, inode: string): LocalListener {
  let closing: Promise<void> | undefined;
  const close = async () => {
    try {
      // The name goes while it is still served: before that nobody else may take it over.
      if (inodeKey(await lstat(endpoint)) === inode) await unlink(endpoint);
    } catch (error) {
      if (!GONE.has(osErrorCode(error) ?? "")) throw error;
    } finally {
      server.close();
    }
  };
  return {
    endpoint,
    close: () => closing ??= close(),
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}

function inodeKey(found: { dev: number | bigint; ino: number | bigint }): string {
  return `${found.dev}:${found.ino}`;
}
