/** What a test gives a wait that only a broken product reaches the end of. */
export const WAIT = { deadlineMs: 10_000 };

/** How long nothing may change before it is believed that nothing will. */
const STABLE_MS = 60;
const POLL_MS = 5;

/** A promise and the ways to settle it; `Promise.withResolvers` is missing in Node 20. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Makes a promise that the test settles. */
export function deferred<T>(): Deferred<T> {
  let settle!: Omit<Deferred<T>, "promise">;
  const promise = new Promise<T>((resolve, reject) => settle = { resolve, reject });
  return { promise, ...settle };
}

/** A promise's outcome, or a failed test when it takes too long. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took over ${WAIT.deadlineMs} ms`)), WAIT.deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something holds, or fails the test. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + WAIT.deadlineMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${WAIT.deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Waits until a number has not changed for a while, and gives it. */
export async function settled(count: () => number): Promise<number> {
  let [seen, since] = [count(), performance.now()];
  while (performance.now() - since < STABLE_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (count() !== seen) [seen, since] = [count(), performance.now()];
  }
  return seen;
}

/** Turns of the event loop, for what needs no more than those. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
