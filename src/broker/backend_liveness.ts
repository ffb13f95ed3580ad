import { isProcessAliveSync } from "../host/process_identity.ts";
import type { ProcessIdentity } from "../host/process_start.ts";
import type { ProcessWatch, Transport } from "../transport/transport.ts";

/** Processes watched at once: a descriptor each. The others are looked up, which costs a Hello 20 microseconds. */
export const WATCHES_MAX = 64;

/** Tells whether backends still run, as often as Hellos come. */
export class BackendLiveness {
  readonly #watchProcess: Transport["watchProcess"];
  readonly #watches = new Map<string, ProcessWatch>();
  #isClosed = false;

  /** Watches nothing yet. */
  constructor({ watchProcess }: Pick<Transport, "watchProcess">) {
    this.#watchProcess = watchProcess;
  }

  /** Whether the process runs that was identified, and not just one of its number. */
  isAlive(process: ProcessIdentity): boolean {
    const key = `${process.pid}:${process.startMark}`;
    const watch = this.#watches.get(key);
    if (watch === undefined) return this.#look(key, process);
    if (!watch.hasEnded()) return true;
    this.#watches.delete(key);
    watch.close();
    return false;
  }

  /** Gives the watches up; from then on processes are looked up. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #forgetEnded(): void {
    for (const [key, watch] of this.#watches) {
      if (!watch.hasEnded()) continue;
      this.#watches.delete(key);
      watch.close();
    }
  }

  /** Watched first and looked at then: in the other order its number could change hands in between. */
  #look(key: string, process: ProcessIdentity): boolean {
    if (this.#watches.size >= WATCHES_MAX) this.#forgetEnded();
    const mayWatch = !this.#isClosed && this.#watches.size < WATCHES_MAX;
    const watch = mayWatch ? this.#watchProcess(process.pid) : undefined;
    const isAlive = isProcessAliveSync(process);
    if (watch === undefined) return isAlive;
    if (isAlive) this.#watches.set(key, watch);
    else watch.close();
    return isAlive;
  }
}
