// This module has no I/O.

/** Hello and HelloReply. */
export const CONTROL_PAYLOAD_PROTOCOL = 0x0000;
/** AdminRequest and AdminReply. */
export const ADMIN_PAYLOAD_PROTOCOL = 0xad01;
/** A nonce, answered by the nonce and the backend's identity. */
export const BACKEND_PROBE_PAYLOAD_PROTOCOL = 0xb232;
/** HandoffOffer, HandoffAck and the handoff-ready event. */
export const HANDOFF_PAYLOAD_PROTOCOL = 0xd0ff;

/** Every id this protocol family speaks itself. Three of the four lie outside the first-party *range*. */
export const FIRST_PARTY_PAYLOAD_PROTOCOLS: readonly number[] = [
  CONTROL_PAYLOAD_PROTOCOL,
  ADMIN_PAYLOAD_PROTOCOL,
  BACKEND_PROBE_PAYLOAD_PROTOCOL,
  HANDOFF_PAYLOAD_PROTOCOL,
];

/** Ids that known consumers have registered. */
export const REGISTERED_CONSUMERS: Readonly<Record<"zccache" | "clud" | "fbuild", number>> = {
  zccache: 0x7a63,
  clud: 0x7c4c,
  fbuild: 0x7eb1,
};

const CONSUMER_FIRST = 0x7000;
const CONSUMER_LAST = 0x7eff;
const PRIVATE_USE_FIRST = 0xf000;
const PRIVATE_USE_LAST = 0xffff;

/** Whether an id belongs to this protocol family: membership in the list, not in a range (protocol 1.8). */
export function isFirstPartyPayloadProtocol(id: number): boolean {
  return FIRST_PARTY_PAYLOAD_PROTOCOLS.includes(id);
}

/** Whether an id lies in the range of registered consumers, 0x7000 to 0x7EFF. */
export function isRegisteredConsumerId(id: number): boolean {
  return Number.isInteger(id) && id >= CONSUMER_FIRST && id <= CONSUMER_LAST;
}

/** Whether an id lies in the range anybody may use without registration, 0xF000 to 0xFFFF. */
export function isPrivateUseId(id: number): boolean {
  return Number.isInteger(id) && id >= PRIVATE_USE_FIRST && id <= PRIVATE_USE_LAST;
}

/**
 * Checks an application's payload protocol once, where it is declared.
 *
 * @param id The id the application speaks.
 * @returns The same id.
 * @throws {RangeError} When the id is first-party, or neither in the consumer nor in the private range.
 */
export function applicationPayloadProtocol(id: number): number {
  // No first-party id lies in either range.
  if (isRegisteredConsumerId(id) || isPrivateUseId(id)) return id;
  throw new RangeError(
    `Payload protocol "${payloadProtocolText(id)}" is not an application's: ` +
      "want 0x7000 to 0x7EFF (registered) or 0xF000 to 0xFFFF (private use)",
  );
}

/** An id as log lines and error texts of this protocol family spell it, for example `0x7A63`. */
export function payloadProtocolText(id: number): string {
  return `0x${id.toString(16).toUpperCase().padStart(4, "0")}`;
}
