import type { WarmRequest } from "../../../src/broker/warm/warm_channel.ts";
import { WARM_EXTENSIONS } from "../../../src/wire/handoff_extension.ts";
import { encodeHandoffAck, type HandoffAckInit } from "../../../src/wire/handoff_frames.ts";
import { tokenBytesOf, tokenOf } from "../../handoff/_support.ts";
import { FakeControl, heldConnection } from "../_fake_handoff.ts";

/** A connection to be offered on a channel, named by a number. */
export function warmRequest(id: number, fields: Partial<WarmRequest> = {}): WarmRequest {
  return {
    connection: heldConnection(),
    token: tokenOf(id),
    correlationId: BigInt(id),
    serviceName: "my-daemon",
    residue: new Uint8Array(0),
    isRepeatable: false,
    ...fields,
  };
}

/** A backend's answer to {@linkcode warmRequest}. */
export function warmAck(id: number, fields: HandoffAckInit = {}): Uint8Array {
  const right = { correlationId: BigInt(id), token: tokenBytesOf(id), accepted: true, readyRelayed: true };
  return encodeHandoffAck({ ...right, ...fields });
}

/** A doorbell whose backend answers that it is paired. */
export function pairedDoorbell(fields: HandoffAckInit = {}): FakeControl {
  const doorbell = new FakeControl();
  const ack = { correlationId: 0n, accepted: true, extensions: WARM_EXTENSIONS, ...fields };
  doorbell.incoming.push(encodeHandoffAck(ack));
  return doorbell;
}
