// This module has no I/O.

/** Extension bit 0 of an offer and its ACK: the backend writes the ready event itself. */
export const EXTENSION_DIRECT_READY: bigint = 1n << 0n;

/** Extension bit 1: the control connection stays open, and what is known of its ends holds for later offers. */
export const EXTENSION_KEEP_OPEN: bigint = 1n << 1n;

/** Extension bit 2: this connection carries the offers, and another one the descriptors. */
export const EXTENSION_DOORBELL: bigint = 1n << 2n;

/** Extension bit 3: the client's first request may run twice, so the ready event may leave with its answer. */
export const EXTENSION_REPEATABLE: bigint = 1n << 3n;

/** What an offer on a warm channel is made with, and its ACK honours. */
export const DIRECT_EXTENSIONS: bigint = EXTENSION_DIRECT_READY | EXTENSION_KEEP_OPEN;

/** What a doorbell announces, and has to see honoured before an offer may carry a client's first bytes. */
export const WARM_EXTENSIONS: bigint = DIRECT_EXTENSIONS | EXTENSION_DOORBELL;

/** Size of the name that ties a doorbell to its descriptor channel: as hard to guess as a token. */
export const CHANNEL_ID_BYTES = 16;

/**
 * Most bytes a client may send along with its Hello. They are copied into the offer, and 64 offers under way
 * are to stay a small part of a broker's memory.
 */
export const EARLY_DATA_BYTES_MAX: number = 16 * 1024;
