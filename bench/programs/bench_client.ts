import { type BackendConnection, type ConnectBackendRequest, connectToBackend } from "../../mod.ts";
import { REQUEST } from "../request.ts";

/** Ways to a first answered request. */
export const clientModes = [
  "reconnect",
  "handoff",
  "handoff-early",
  "reconnect-end",
  "handoff-early-end",
] as const;
/** One of them. */
export type ClientMode = typeof clientModes[number];

/** Whether a mode is a way to a first answered request. */
export function isClientMode(mode: string): mode is ClientMode {
  return (clientModes as readonly string[]).includes(mode);
}

const TRANSFER_BYTES = 1 << 20;

/** Connects by our own client, from the connect to the last byte of the first answer. */
export class BenchClient {
  readonly #requests: Readonly<Record<ClientMode, ConnectBackendRequest>>;
  #session: BackendConnection | undefined;
  #fallbacks = 0;

  constructor(options: ConnectBackendRequest) {
    this.#requests = {
      "reconnect": { ...options, adoptHandedOffConnection: false },
      "handoff": options,
      "handoff-early": { ...options, earlyData: { bytes: REQUEST, repeatable: true } },
      "reconnect-end": {
        ...options,
        adoptHandedOffConnection: false,
        earlyData: { bytes: REQUEST, end: true },
      },
      "handoff-early-end": { ...options, earlyData: { bytes: REQUEST, repeatable: true, end: true } },
    };
  }

  /** @returns Microseconds. */
  async once(mode: ClientMode): Promise<number> {
    const startMs = performance.now();
    const request = this.#requests[mode];
    const session = await connectToBackend(request);
    if (request.earlyData === undefined) await session.stream.write(REQUEST);
    await readExactly(session, REQUEST.length);
    const takenUs = (performance.now() - startMs) * 1_000;
    session.close();
    if (request.adoptHandedOffConnection !== false && session.route !== "handle-passed") this.#fallbacks++;
    return takenUs;
  }

  /** A function that sends a block over one adopted connection and reads it back. @returns Microseconds. */
  transfers(): () => Promise<number> {
    const block = new Uint8Array(TRANSFER_BYTES).fill(7);
    return async () => {
      this.#session ??= await connectToBackend(this.#requests.handoff);
      const startMs = performance.now();
      const writing = this.#session.stream.write(block);
      await readExactly(this.#session, block.length);
      await writing;
      return (performance.now() - startMs) * 1_000;
    };
  }

  /** Gives the connection of the transfers up. */
  endTransfers(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  /** Handoffs that became reconnects since the last time. */
  takeFallbacks(): number {
    const count = this.#fallbacks;
    this.#fallbacks = 0;
    return count;
  }
}

async function readExactly(session: BackendConnection, length: number): Promise<void> {
  for (let seen = 0; seen < length;) {
    const chunk = await session.stream.read();
    if (chunk === null) throw new Error(`Connection ended after ${seen} bytes of ${length}`);
    seen += chunk.length;
  }
}
