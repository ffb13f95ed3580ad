// This module has no I/O.
import type { HandoffToken } from "./handoff_token.ts";
import { DEFAULT_PENDING_TOKENS_MAX, DEFAULT_TOKEN_TTL_MS } from "./token_store.ts";

/**
 * The tokens a backend has used up lately: the same token again is a replay (model rule 24).
 *
 * A backend learns each token from the offer it comes with, so its token store alone cannot tell a
 * second use from a first one. Kept as long as a broker keeps a token; beyond the bound the oldest goes.
 */
export class SpentTokens {
  readonly #tokensMax: number;
  readonly #keptMs: number;
  readonly #expiryMsByToken = new Map<string, number>();

  /**
   * Remembers nothing yet.
   *
   * @param tokensMax Tokens remembered at once.
   * @param keptMs How long each is remembered, in milliseconds.
   */
  constructor(tokensMax: number = DEFAULT_PENDING_TOKENS_MAX, keptMs: number = DEFAULT_TOKEN_TTL_MS) {
    this.#tokensMax = Math.max(1, tokensMax);
    this.#keptMs = Math.max(1, keptMs);
  }

  /** Tokens remembered now. */
  get length(): number {
    return this.#expiryMsByToken.size;
  }

  /**
   * Remembers a token that was used up.
   *
   * @param token The token.
   * @param nowMs The time.
   */
  add(token: HandoffToken, nowMs: number): void {
    const key = token.toMapKey();
    this.#expiryMsByToken.delete(key);
    for (const [oldest, expiryMs] of this.#expiryMsByToken) {
      if (nowMs < expiryMs && this.#expiryMsByToken.size < this.#tokensMax) break;
      this.#expiryMsByToken.delete(oldest);
    }
    this.#expiryMsByToken.set(key, nowMs + this.#keptMs);
  }

  /**
   * Tells whether a token was used up and is still remembered.
   *
   * @param token The token.
   * @param nowMs The time.
   */
  has(token: HandoffToken, nowMs: number): boolean {
    const expiryMs = this.#expiryMsByToken.get(token.toMapKey());
    return expiryMs !== undefined && nowMs < expiryMs;
  }
}
