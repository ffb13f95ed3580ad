/** A limit for whatever has to happen in a test on a busy machine; nothing here comes near it. */
export const TEST_DEADLINE_MS = 15_000;

/** Waits for something that has to happen, and says what did not when it does not. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  deadlineMs: number = TEST_DEADLINE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
