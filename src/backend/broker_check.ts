import { BrokerError } from "../errors.ts";
import { isProcessAliveSync, type ProcessIdentity, processIdentity } from "../host/process_identity.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { PeerCredentials } from "../transport/local_stream.ts";
import type { Transport } from "../transport/transport.ts";
import type { WaitOptions } from "../transport/wait_options.ts";
import { encodeAdminRequest } from "../wire/admin_frames.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import { readFrame } from "../wire/read_frame.ts";
import type { LaunchingBroker } from "./launched_options.ts";

/** Milliseconds for finding out who serves the broker's endpoint: a broker that offers something is awake. */
const LOOK_DEADLINE_MS = 1_000;

/**
 * Decides whether a peer may hand connections over.
 *
 * @param peer Who connected, by the kernel; `undefined` when it would not say.
 * @returns Why it may not; `undefined` when it may. Never rejects.
 */
export type BrokerCheck = (peer: PeerCredentials | undefined) => Promise<string | undefined>;

/**
 * Makes the check of a backend: offers come from a process of its own user, and, when a broker launched it, from
 * that broker or from the one that serves that broker's endpoint now.
 *
 * A kernel that names no process (macOS) leaves it at the user. In Deno it requires `--allow-all` on Linux, since
 * processes are looked up below `/proc`.
 *
 * @param transport The kernel's sockets.
 * @param launchedBy The broker that launched this process; `undefined` lets every broker of this user hand over.
 */
export function makeBrokerCheck(
  transport: Pick<Transport, "ownUser" | "connectWithPeer">,
  launchedBy: LaunchingBroker | undefined,
): BrokerCheck {
  const brokers = launchedBy === undefined ? undefined : new KnownBrokers(transport, launchedBy);
  return async (peer) => {
    if (peer?.uid !== transport.ownUser) {
      const seen = peer === undefined ? "an unknown user" : `uid ${peer.uid}`;
      return `the broker is ${seen}, wanted uid ${transport.ownUser}`;
    }
    if (brokers === undefined || peer.pid === 0) return undefined;
    return await brokers.reasonAgainst(peer.pid);
  };
}

/** The broker that launched this process and the last one that has taken its place. */
class KnownBrokers {
  readonly #transport: Pick<Transport, "ownUser" | "connectWithPeer">;
  readonly #endpoint: string;
  readonly #launcher: ProcessIdentity;
  #successor: ProcessIdentity | undefined;
  #looking: Promise<ProcessIdentity> | undefined;

  constructor(
    transport: Pick<Transport, "ownUser" | "connectWithPeer">,
    { endpoint, process }: LaunchingBroker,
  ) {
    this.#transport = transport;
    this.#endpoint = endpoint;
    this.#launcher = process;
  }

  async reasonAgainst(pid: number): Promise<string | undefined> {
    try {
      for (const known of [this.#launcher, this.#successor]) {
        // A number alone may be another process's by now.
        if (known?.pid === pid && isProcessAliveSync(known)) return undefined;
      }
      const server = await (this.#looking ??= this.#look());
      if (server.pid !== pid) {
        return `process ${pid} is neither the broker that launched this backend nor serves its endpoint`;
      }
      this.#successor = server;
      return undefined;
    } catch (error) {
      return `process ${pid} did not launch this backend, and its successor is not known: ${
        (error as Error).message
      }`;
    }
  }

  /** Offers that come meanwhile share the answer: it is about the endpoint, not about who offers. */
  async #look(): Promise<ProcessIdentity> {
    const wait = { deadlineMs: LOOK_DEADLINE_MS };
    try {
      const pid = await withDeadline(
        `hear who serves "${this.#endpoint}"`,
        wait,
        (signal) => this.#ask({ ...wait, signal }),
      );
      const found = await processIdentity(pid);
      if (found === undefined) throw this.#unknown(`process ${pid}, which served it, has ended`);
      return found;
    } finally {
      this.#looking = undefined;
    }
  }

  /** @returns The process that answers there. */
  async #ask(wait: WaitOptions): Promise<number> {
    const { stream, peer } = await this.#transport.connectWithPeer(this.#endpoint, wait);
    try {
      if (peer.uid !== this.#transport.ownUser) throw this.#unknown(`uid ${peer.uid} serves it`);
      // Some brokers take a connection that hangs up without a request for a failure of their own.
      await stream.write(encodeAdminRequest({ verb: AdminVerb.HEALTHZ }));
      await readFrame(stream, { ...(wait.signal === undefined ? {} : { signal: wait.signal }) });
      return peer.pid;
    } finally {
      stream.close();
    }
  }

  #unknown(seen: string): BrokerError {
    return new BrokerError("peer-rejected", `Cannot tell who serves "${this.#endpoint}": ${seen}`);
  }
}
