import { HandoffToken } from "../../src/handoff/handoff_token.ts";
import type { HandoffRandom } from "../../src/handoff/handoff_token.ts";
import { HandoffTokenStore, type HandoffTokenStoreConfig } from "../../src/handoff/token_store.ts";

/** A token whose bytes all follow from one number below 2^32. */
export function tokenOf(seed: number): HandoffToken {
  const token = HandoffToken.fromBytes(tokenBytesOf(seed));
  if (token === undefined) throw new Error("A token has 16 bytes");
  return token;
}

/** The bytes of {@linkcode tokenOf}. */
export function tokenBytesOf(seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16).fill(0xa5);
  new DataView(bytes.buffer).setUint32(0, seed);
  return bytes;
}

/** Random bytes that never repeat: the tokens of 1, 2, 3 and so on. */
export function countingRandom(): HandoffRandom {
  let seed = 0;
  return () => tokenBytesOf(++seed);
}

/** A store over {@linkcode countingRandom}. */
export function tokenStore(config?: HandoffTokenStoreConfig): HandoffTokenStore {
  return new HandoffTokenStore(countingRandom(), config);
}

/** The token a store gave out, or a failed test. */
export function issued(store: HandoffTokenStore, nowMs: number): HandoffToken {
  const issue = store.issue(nowMs);
  if (!issue.ok) throw issue.error;
  return issue.token;
}
