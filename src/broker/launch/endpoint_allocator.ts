// This module has no I/O.
import { BACKEND_NAME_RANDOM_BYTES, backendName } from "../../naming/endpoint_name.ts";
import { LaunchError } from "./launch_error.ts";

/** Names drawn before it is believed that the randomness is none (protocol 6.10). */
export const ALLOCATION_ATTEMPTS_MAX = 16;

/** Gives launched backends endpoint names that nobody can guess and that none had before. */
export class EndpointAllocator {
  readonly #userHash: string;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #reserved = new Map<string, Set<string>>();

  /**
   * Makes an allocator that has given out nothing.
   *
   * @param userHash The hash of this user, which the names carry.
   * @param randomBytes A cryptographic source.
   */
  constructor(userHash: string, randomBytes: (length: number) => Uint8Array) {
    this.#userHash = userHash;
    this.#randomBytes = randomBytes;
  }

  /**
   * Reserves a bare endpoint name in a namespace (protocol 3.2).
   *
   * @throws {LaunchError} With kind `CollisionExhausted` when every name drawn was reserved already.
   */
  allocate(namespaceId: string): string {
    const reserved = this.#reserved.get(namespaceId) ?? new Set();
    for (let attempt = 0; attempt < ALLOCATION_ATTEMPTS_MAX; attempt++) {
      const name = backendName(this.#userHash, this.#randomBytes(BACKEND_NAME_RANDOM_BYTES));
      if (reserved.has(name)) continue;
      this.#reserved.set(namespaceId, reserved.add(name));
      return name;
    }
    throw new LaunchError(
      "CollisionExhausted",
      `backend endpoint allocation collided ${ALLOCATION_ATTEMPTS_MAX} times`,
    );
  }

  /** Lets a name go whose process has ended. */
  release(namespaceId: string, name: string): void {
    const reserved = this.#reserved.get(namespaceId);
    if (reserved?.delete(name) && reserved.size === 0) this.#reserved.delete(namespaceId);
  }

  /** Names that are reserved now. */
  get reservedCount(): number {
    return [...this.#reserved.values()].reduce((sum, names) => sum + names.size, 0);
  }
}
