// This module has no I/O.

/**
 * Runs a part that should return its failures, and turns what it throws all the same into a value.
 *
 * @param act Runs the part.
 * @param onThrow Makes the value.
 * @returns What either of them returned; never rejects unless `onThrow` throws.
 */
export async function settle<Value>(
  act: () => Promise<Value>,
  onThrow: (cause: unknown) => Value,
): Promise<Value> {
  try {
    return await act();
  } catch (cause) {
    return onThrow(cause);
  }
}

/**
 * Says in words what was thrown.
 *
 * @param thrown Anything that was caught.
 * @returns The error's message, or the value's text.
 */
export function textOfThrown(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
