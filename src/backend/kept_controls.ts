import type { IncomingControl } from "../transport/transport.ts";

/** Control connections that wait for their doorbell at once: a broker pairs one at a time. */
export const KEPT_CONTROLS_MAX = 8;
/** Milliseconds a broker has for its second connection. */
export const KEPT_CONTROL_MS = 5_000;

interface Kept {
  readonly control: IncomingControl;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Control connections whose brokers are about to dial the second one that makes them a channel. */
export class KeptControls {
  readonly #kept = new Map<string, Kept>();

  /** Keeps a connection under its channel's name, until it is taken or its time is over. */
  keep(channelId: Uint8Array, control: IncomingControl): void {
    const key = keyOf(channelId);
    if (this.#kept.size >= KEPT_CONTROLS_MAX) return control.close();
    const timer = setTimeout(() => this.#drop(key), KEPT_CONTROL_MS);
    this.#kept.set(key, { control, timer });
  }

  /**
   * Gives a connection to the process that made it.
   *
   * @param pid Of the process that asks, by the kernel.
   * @returns `undefined` when there is none of that name, or it is another process's.
   */
  take(channelId: Uint8Array, pid: number | undefined): IncomingControl | undefined {
    const key = keyOf(channelId);
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.control.peer?.pid !== pid) return undefined;
    clearTimeout(kept.timer);
    this.#kept.delete(key);
    return kept.control;
  }

  /** Closes them all. */
  close(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    clearTimeout(kept.timer);
    kept.control.close();
  }
}

function keyOf(channelId: Uint8Array): string {
  return String.fromCharCode(...channelId);
}
