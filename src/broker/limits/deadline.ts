/** The end of a wait that may be brought forward, and never put off. */
export class Deadline {
  /** Settles when it is reached. */
  readonly reached: Promise<void>;
  #reach!: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #atMs = Infinity;

  /** Makes one that is never reached; see {@linkcode Deadline.within}. */
  constructor() {
    this.reached = new Promise((resolve) => this.#reach = resolve);
  }

  /** Reaches it within so many milliseconds from now; one that is earlier stays. */
  within(ms: number): void {
    const atMs = performance.now() + ms;
    if (atMs >= this.#atMs) return;
    this.#atMs = atMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#reach, ms);
  }

  /** Forgets it: it is not reached any more. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#atMs = -Infinity;
  }
}
