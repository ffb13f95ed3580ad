// This module has no I/O.

/** Byte 0 of every frame. It guards the length-prefix layout (protocol 1.1). */
export const FRAMING_VERSION_V1 = 1;

/** `Frame.envelope_version`, and both ends of the protocol range a v1 peer offers (protocol 1.1). */
export const PROTOCOL_VERSION = 1;

/** One version byte and a 32-bit little-endian body length. */
export const FRAME_HEADER_BYTES = 5;

/** Largest frame body, inclusive. Frozen for v1: peers refuse one byte more. */
export const FRAME_BYTES_MAX: number = 16 * 1024 * 1024;

/** Largest body of the frame that carries the first Hello, inclusive. Frozen for v1. */
export const HELLO_BYTES_MAX: number = 64 * 1024;

/** A handoff token's size: the raw prefix that travels with a passed descriptor has exactly this length. */
export const HANDOFF_TOKEN_BYTES = 16;

/** A probe nonce's size; a probe request's payload is exactly this long. */
export const NONCE_BYTES = 32;

/** The size of a hash that identifies an executable, SHA-256 and BLAKE3 alike. */
export const EXE_HASH_BYTES = 32;

/** The only algorithm name that `DaemonProcess.exe_hash_algorithm` may carry. */
export const EXE_HASH_ALGORITHM = "blake3";

/** Capability bit 0, in both directions: the connection can be handed to the backend. */
export const CAPABILITY_HANDLE_PASSING: bigint = 1n << 0n;

/** Capability bit 32, ours: the client waits for a handoff only if the reply has this bit as well. */
export const CAPABILITY_HANDOFF_ANNOUNCED: bigint = 1n << 32n;

/** Capability bit 33, ours: the client's first request follows the Hello at once. */
export const CAPABILITY_EARLY_DATA: bigint = 1n << 33n;

/** Capability bit 34, ours: that first request may run twice or late, so the ready event may come with its answer. */
export const CAPABILITY_REPEATABLE: bigint = 1n << 34n;
