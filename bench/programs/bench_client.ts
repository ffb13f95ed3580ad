import { type BackendConnection, type ConnectBackendRequest, connectToBackend } from "../../mod.ts";
import { REQUEST } from "../request.ts";

/** Ways to a first answered request. */
export const clientModes = ["reconnect", "handoff", "handoff-early"] as const;
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
    };
  }

  /** @returns Microseconds. */
  async once(mode: ClientMode): Promise<number> {
    const startMs = performance.now();
    const session = await connectToBackend(this.#requests[mode]);
    if (mode !== "handoff-early") await session.stream.write(REQUEST);
    await readExactly(session, REQUEST.length);
    const takenUs = (performance.now() - startMs) * 1_000;
    session.close();
    if (mode !== "reconnect" && session.route !== "handle-passed") this.#fallbacks++;
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
