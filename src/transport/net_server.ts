import net, { type Server, type Socket } from "node:net";
import type { ListenerCalls } from "./listener_calls.ts";
import { LISTEN_BACKLOG, type ListeningServer, type ServerHooks } from "./listening_server.ts";
import { osErrorCode } from "./os_error.ts";
import { runtime } from "./runtime.ts";
import { socketFd } from "./socket_fd.ts";

/** A listening socket of `node:net`, which all three runtimes have. Its connections start paused. */
export class NetServer implements ListeningServer {
  readonly #hooks: ServerHooks<Socket>;
  readonly #server: Server;

  /** Makes a server that does not listen yet. */
  constructor(hooks: ServerHooks<Socket>) {
    this.#hooks = hooks;
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      try {
        hooks.accepted(socket);
      } catch {
        // Gone before it was looked at: a descriptor that is no longer there belongs to nobody.
        socket.destroy();
      }
    });
  }

  get fd(): number {
    return socketFd(this.#server);
  }

  listen(path: string): Promise<void> {
    return this.#listen({ path });
  }

  close(): void {
    this.#server.close();
  }

  /** Deno 2.9 gives up accepting for good after one accept that failed; the other runtimes go on by themselves. */
  async acceptAgain(calls: ListenerCalls): Promise<NetServer | undefined> {
    const fd = runtime === "deno" ? calls.copy(this.fd) : undefined;
    if (fd === undefined) return undefined;
    const next = new NetServer(this.#hooks);
    try {
      await next.#listen({ fd });
      return next;
    } catch {
      next.close();
      return undefined;
    }
  }

  #listen(where: { path: string } | { fd: number }): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ ...where, backlog: LISTEN_BACKLOG }, () => {
        server.off("error", reject);
        // Accept errors are transient: the listener goes on.
        server.on("error", (error) => this.#hooks.failed(osErrorCode(error) ?? String(error)));
        resolve();
      });
    });
  }
}
