// This module has no I/O.
import { HANDOFF_TOKEN_BYTES } from "../wire/constants.ts";
import { type HandoffRandom, HandoffToken } from "./handoff_token.ts";
import { HandoffTokenError } from "./token_error.ts";

/** Pending tokens at most: one per handoff under way, far above what one user's tools start at once. */
export const DEFAULT_PENDING_TOKENS_MAX = 1024;
/** Life of a token: longer than the ACK deadline, so a token in use never expires first. */
export const DEFAULT_TOKEN_TTL_MS = 30_000;
/** Random candidates tried per token: with 128 bits a second collision already means a broken generator. */
export const DEFAULT_COLLISION_ATTEMPTS_MAX = 16;

/** Limits of a {@linkcode HandoffTokenStore}; a zero counts as one. */
export interface HandoffTokenStoreConfig {
  /** Tokens that may be pending at once. @default {1024} */
  pendingTokensMax?: number;
  /** Life of a token in milliseconds. @default {30000} */
  tokenTtlMs?: number;
  /** Random candidates tried until one is new. @default {16} */
  collisionAttemptsMax?: number;
}

/** A new token, or why there is none. */
export type HandoffTokenIssue = { ok: true; token: HandoffToken } | { ok: false; error: HandoffTokenError };
/** Whether a token was taken out of the store. */
export type HandoffTokenConsumption = { ok: true } | { ok: false; error: HandoffTokenError };

/**
 * The tokens that were given out and not yet used, each good for one handoff (protocol 7.3).
 *
 * All times are milliseconds of one monotonic clock. Tokens expire in the order of their arrival, so
 * dropping the expired ones looks at those and one more, however many are pending.
 */
export class HandoffTokenStore {
  readonly #random: HandoffRandom;
  readonly #pendingTokensMax: number;
  readonly #tokenTtlMs: number;
  readonly #collisionAttemptsMax: number;
  readonly #expiryMsByToken = new Map<string, number>();

  /**
   * Makes an empty store.
   *
   * @param random Where tokens come from: the operating system's generator.
   * @param config Limits.
   */
  constructor(random: HandoffRandom, config: HandoffTokenStoreConfig = {}) {
    this.#random = random;
    this.#pendingTokensMax = Math.max(1, config.pendingTokensMax ?? DEFAULT_PENDING_TOKENS_MAX);
    this.#tokenTtlMs = Math.max(1, config.tokenTtlMs ?? DEFAULT_TOKEN_TTL_MS);
    this.#collisionAttemptsMax = Math.max(1, config.collisionAttemptsMax ?? DEFAULT_COLLISION_ATTEMPTS_MAX);
  }

  /** Tokens in the store, expired ones that nobody dropped yet included. */
  get pendingLength(): number {
    return this.#expiryMsByToken.size;
  }

  /**
   * Draws a token and remembers it.
   *
   * @param nowMs The time.
   * @returns The token, or an error of kind `Random`, `PendingLimitReached` or `CollisionExhausted`.
   */
  issue(nowMs: number): HandoffTokenIssue {
    const full = this.#makeRoom(nowMs);
    if (full !== undefined) return { ok: false, error: full };
    for (let attempt = 0; attempt < this.#collisionAttemptsMax; attempt++) {
      const drawn = this.#draw();
      if (!drawn.ok) return drawn;
      if (this.#expiryMsByToken.has(drawn.token.toMapKey())) continue;
      this.#remember(drawn.token, nowMs);
      return drawn;
    }
    const detail = `no new handoff token after ${this.#collisionAttemptsMax} attempts`;
    return { ok: false, error: new HandoffTokenError("CollisionExhausted", detail) };
  }

  /**
   * Remembers a token that came from elsewhere, as the side that was offered a connection has to.
   *
   * @param token The token.
   * @param nowMs The time; its life starts here.
   * @returns Success, or `PendingLimitReached`; `CollisionExhausted` when it is pending already.
   */
  register(token: HandoffToken, nowMs: number): HandoffTokenConsumption {
    const full = this.#makeRoom(nowMs);
    if (full !== undefined) return { ok: false, error: full };
    if (this.#expiryMsByToken.has(token.toMapKey())) {
      return {
        ok: false,
        error: new HandoffTokenError("CollisionExhausted", "handoff token is pending already"),
      };
    }
    this.#remember(token, nowMs);
    return { ok: true };
  }

  /**
   * Uses a token up: it succeeds once.
   *
   * @param expected The token this handoff was made with.
   * @param presented The token the other side showed.
   * @param nowMs The time.
   * @returns Success, or `TokenNotPending`, `TokenExpired` (and forgotten), `TokenMismatch` (nothing used up).
   */
  consumeMatching(expected: HandoffToken, presented: HandoffToken, nowMs: number): HandoffTokenConsumption {
    const key = expected.toMapKey();
    this.#prune(nowMs, key);
    const expiryMs = this.#expiryMsByToken.get(key);
    if (expiryMs === undefined) {
      return { ok: false, error: new HandoffTokenError("TokenNotPending", "handoff token is not pending") };
    }
    if (!(nowMs < expiryMs)) {
      this.#expiryMsByToken.delete(key);
      return { ok: false, error: new HandoffTokenError("TokenExpired", "handoff token expired") };
    }
    if (!expected.equals(presented)) {
      return { ok: false, error: new HandoffTokenError("TokenMismatch", "handoff token mismatch") };
    }
    this.#expiryMsByToken.delete(key);
    return { ok: true };
  }

  /**
   * Forgets a token.
   *
   * @param token The token.
   * @returns Whether it was pending.
   */
  revoke(token: HandoffToken): boolean {
    return this.#expiryMsByToken.delete(token.toMapKey());
  }

  /**
   * Drops the tokens whose life is over.
   *
   * @param nowMs The time.
   * @returns How many were dropped.
   */
  pruneExpired(nowMs: number): number {
    return this.#prune(nowMs, undefined);
  }

  #prune(nowMs: number, exceptKey: string | undefined): number {
    let pruned = 0;
    for (const [key, expiryMs] of this.#expiryMsByToken) {
      if (nowMs < expiryMs) break;
      if (key === exceptKey) continue;
      this.#expiryMsByToken.delete(key);
      pruned++;
    }
    return pruned;
  }

  #makeRoom(nowMs: number): HandoffTokenError | undefined {
    this.#prune(nowMs, undefined);
    if (this.#expiryMsByToken.size < this.#pendingTokensMax) return undefined;
    return new HandoffTokenError(
      "PendingLimitReached",
      `all ${this.#pendingTokensMax} pending handoff tokens are in use`,
    );
  }

  #remember(token: HandoffToken, nowMs: number): void {
    this.#expiryMsByToken.set(token.toMapKey(), nowMs + this.#tokenTtlMs);
  }

  #draw(): HandoffTokenIssue {
    let bytes: Uint8Array;
    try {
      bytes = this.#random(HANDOFF_TOKEN_BYTES);
    } catch (cause) {
      return { ok: false, error: new HandoffTokenError("Random", "the random generator failed", { cause }) };
    }
    const token = HandoffToken.fromBytes(bytes);
    if (token !== undefined) return { ok: true, token };
    const detail = `the random generator gave ${bytes.length} bytes; expected ${HANDOFF_TOKEN_BYTES}`;
    return { ok: false, error: new HandoffTokenError("Random", detail) };
  }
}
