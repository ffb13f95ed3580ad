import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import type { DescriptorReserve, DescriptorRoom } from "../transport.ts";

/** A limit above this is too far away to be watched: a number that high costs the kernel a table up to it. */
const WATCHED_LIMIT_MAX = 16_384;
/** So much is left for others, in reserves, before one is taken back: with one of them it would be short at once. */
const CALM_RESERVES = 2;
/** A number so far below the watched ones, in reserves, is low. */
const LOW_RESERVES = 2;

/** Copies of a descriptor that nothing else is done with. */
export class UnixDescriptorReserve implements DescriptorReserve {
  readonly #native: Native;
  readonly #count: number;
  /** How many this process may have, if that is known. */
  readonly #limit: number | undefined;
  /** Never given up: without it nothing could be asked when all others are taken. */
  readonly #original: number;
  /**
   * The lowest number of a copy. A kernel gives the lowest number that is free: with the copies at the upper end,
   * the number it would give next tells how many are free below them at most.
   */
  readonly #copyMin: number | undefined;
  readonly #copies: number[] = [];
  #isClosed = false;

  /**
   * Takes the reserve.
   *
   * @param count How many descriptors are given up when it is released.
   * @param limit How many this process may have, if that is known.
   * @throws {BrokerError} With code "os" when there are not so many.
   */
  constructor(native: Native, count: number, limit: number | undefined) {
    this.#native = native;
    this.#count = count;
    this.#limit = limit;
    const isWatched = limit !== undefined && limit <= WATCHED_LIMIT_MAX;
    this.#copyMin = isWatched ? Math.max(0, limit - count) : undefined;
    const pair = native.socketPair();
    if (!pair.ok) throw notSoMany(count);
    this.#original = pair.fds[0];
    native.sockets.closeFd(pair.fds[1]);
    if (this.refill()) return;
    this.close();
    throw notSoMany(count);
  }

  get isWhole(): boolean {
    return this.#copies.length === this.#count;
  }

  glance(newest?: number): DescriptorRoom {
    if (this.#isClosed || this.#isLow(newest)) return "enough";
    const probe = this.#native.sockets.duplicateFd(this.#original);
    if (!probe.ok) return "none";
    this.#native.sockets.closeFd(probe.fd);
    return this.#copyMin !== undefined && probe.fd >= this.#copyMin - this.#count ? "short" : "enough";
  }

  /** The kernel gives the lowest number that is free: behind a low one there are more, or it is the only one. */
  #isLow(newest: number | undefined): boolean {
    if (newest === undefined || this.#limit === undefined || !this.isWhole) return false;
    return newest < (this.#copyMin ?? WATCHED_LIMIT_MAX) - LOW_RESERVES * this.#count;
  }

  count(): DescriptorRoom {
    const room = this.glance();
    // One number that is free low down is not many.
    return room === "enough" && this.#spare() <= this.#count ? "short" : room;
  }

  usedRatio(): number {
    if (this.#limit === undefined) return 0;
    // Above the watched ones there are none: the kernel gives the lowest number that is free.
    const openCount = this.#native.sockets.countOpen(Math.min(this.#limit, WATCHED_LIMIT_MAX));
    return (openCount ?? 0) / this.#limit;
  }

  release(): void {
    for (const fd of this.#copies.splice(0)) this.#native.sockets.closeFd(fd);
  }

  refill(): boolean {
    if (this.isWhole) return true;
    if (this.#isClosed || this.#spare() < CALM_RESERVES * this.#count) return false;
    while (!this.isWhole) {
      const copy = this.#native.sockets.duplicateFd(this.#original, this.#copyMin);
      if (!copy.ok) break;
      this.#copies.push(copy.fd);
    }
    if (this.isWhole && this.glance() !== "none") return true;
    // In part, or with nothing left for others, it would only take from those who are served.
    this.release();
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.release();
    this.#isClosed = true;
    this.#native.sockets.closeFd(this.#original);
  }

  /** How many are left for others beside the reserve, whether that is held or not. */
  #spare(): number {
    if (this.#limit === undefined || this.#copyMin === undefined) return Infinity;
    const openCount = this.#native.sockets.countOpen(this.#limit);
    return openCount === undefined ? Infinity : this.#copyMin - (openCount - this.#copies.length);
  }
}

function notSoMany(count: number): BrokerError {
  const message =
    `Cannot keep ${count} file descriptors back: there are not so many; raise the limit (ulimit -n)`;
  return new BrokerError("os", message);
}
