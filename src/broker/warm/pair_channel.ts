import type { CancelSignal } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import { withDeadline } from "../../transport/deadline.ts";
import type { ControlConnection, Transport } from "../../transport/transport.ts";
import { WARM_EXTENSIONS } from "../../wire/handoff_extension.ts";
import { decodeHandoffAck, encodeHandoffOffer } from "../../wire/handoff_frames.ts";
import { readFrame } from "../../wire/read_frame.ts";

/** Milliseconds for dialling the second connection and for its answer; nobody waits for it. */
export const PAIRING_DEADLINE_MS = 5_000;

/** No Hello has this connection id, so no offer has it. */
const PAIRING_CORRELATION_ID = 0n;

/** What pairing needs. */
export interface PairingRequest {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** The backend's handoff endpoint. */
  readonly handoffEndpoint: string;
  /** The process that has to serve it. */
  readonly backendPid: number;
  /** The name that the backend gave to the connection that descriptors will go on. */
  readonly channelId: Uint8Array;
  /** Ends it early. */
  readonly signal: CancelSignal;
}

/**
 * Dials the connection that offers will go on, and has the backend tie it to the one it keeps.
 *
 * @returns The connection; it is the caller's.
 * @throws {BrokerError} When the backend is gone, is another process, or does not honour what a warm channel needs.
 */
export async function pairDoorbell(request: PairingRequest): Promise<ControlConnection> {
  const { transport, handoffEndpoint, backendPid, channelId, signal } = request;
  const wait = { deadlineMs: PAIRING_DEADLINE_MS, signal };
  const doorbell = await transport.dialControl(handoffEndpoint, { ...wait, backendPid });
  try {
    const correlationId = PAIRING_CORRELATION_ID;
    await doorbell.write(encodeHandoffOffer({ correlationId, extensions: WARM_EXTENSIONS, channelId }));
    const body = await withDeadline("pair a handoff channel", wait, (ended) => {
      return readFrame(doorbell, { signal: ended });
    });
    const answer = decodeHandoffAck(body, () => ({ correlationId, token: new Uint8Array(0) }));
    if (!answer.ok) throw new BrokerError("protocol", `Cannot pair a handoff channel: ${answer.detail}`);
    if ((answer.ack.extensions & WARM_EXTENSIONS) === WARM_EXTENSIONS) return doorbell;
    const seen = `0x${answer.ack.extensions.toString(16)}`;
    throw new BrokerError(
      "protocol",
      `Cannot pair a handoff channel: the backend honours extensions ${seen}, wanted 0x${
        WARM_EXTENSIONS.toString(16)
      }`,
    );
  } catch (error) {
    doorbell.close();
    throw error;
  }
}
