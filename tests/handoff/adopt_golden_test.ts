import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planAdoptOffer } from "../../src/handoff/adopt_frames.ts";
import { planRelayHandoff } from "../../src/handoff/relay_frames.ts";
import { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { SpentTokens } from "../../src/handoff/spent_tokens.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { fromHex, goldenVersions, loadGolden, toHex } from "../support/golden.ts";
import { ackOf, ackWritten, empty, outcomeOf, play, reads } from "./_adopt.ts";
import { tokenStore } from "./_support.ts";

interface OfferVector {
  id: string;
  note: string;
  accepted: boolean | null;
  error: string | null;
  expected_token: string;
  pending: boolean;
  offer: { correlation_id: string; service_name: string; token: string };
  offer_wire: string;
  ack_wire: string;
}
interface FrameVector {
  id: string;
  note: string;
  ack: { accepted: boolean; correlation_id: string; error_detail: string; token: string };
  ack_wire: string;
  ready_wire: string;
}

function tokenFrom(hex: string): HandoffToken {
  const token = HandoffToken.fromBytes(fromHex(hex));
  assert.ok(token !== undefined);
  return token;
}

/** The backend answers each offer as the reference does; "not pending" is a token used up before. */
function checkOffer(vector: OfferVector): void {
  const spent = new SpentTokens();
  if (!vector.pending) spent.add(tokenFrom(vector.expected_token), 0);
  const plan = planAdoptOffer({ tokens: tokenStore(), spent, deadlineMs: 5000 });
  const events = reads(fromHex(vector.offer_wire), fromHex(vector.expected_token));
  const { turn, steps } = play([...events, empty, ackWritten], plan);
  assert.equal(toHex(ackOf(steps) ?? new Uint8Array(0)), vector.ack_wire);
  const outcome = outcomeOf(turn);
  assert.equal(outcome.kind === "adopted", vector.accepted === true);
  if (vector.error === null) return;
  assert.ok(outcome.kind === "closed");
  assert.equal(outcome.reason, "invalid-offer");
  assert.equal(outcome.detail, vector.error);
}

/** The broker sends the offer and the ready event of the reference, and takes its ACK. */
function checkBroker(token: string, correlationId: string, ackWire: string, isAccepted: boolean): string {
  const plan = planRelayHandoff({
    token: tokenFrom(token),
    correlationId: BigInt(correlationId),
    serviceName: "zccache",
    ackDeadlineMs: 5000,
    residueBytes: 0,
    isEarlyDataAnnounced: false,
    keepsControlOpen: false,
  });
  const ack = plan.readAck(fromHex(ackWire).subarray(FRAME_HEADER_BYTES));
  assert.equal(ack.kind, isAccepted ? "accepted" : "rejected");
  return toHex(plan.readyBytes);
}

for (const version of goldenVersions) {
  describe(`handoff vectors of ${version}`, () => {
    const { vectors } = loadGolden<OfferVector | FrameVector>(version, "handoff");
    test("there are offers to accept, to reject and to drop", () => {
      const outcomes = vectors.flatMap((vector) => "offer" in vector ? [vector.accepted] : []);
      assert.deepEqual(new Set(outcomes), new Set([true, false, null]));
    });
    for (const vector of vectors) {
      test(`${vector.id} ${vector.note}`, () => {
        if ("offer" in vector) {
          checkOffer(vector);
          if (vector.accepted !== true) return;
          checkBroker(vector.offer.token, vector.offer.correlation_id, vector.ack_wire, true);
        } else if ("ready_wire" in vector) {
          const { token, correlation_id, accepted } = vector.ack;
          const ready = checkBroker(token, correlation_id, vector.ack_wire, accepted);
          if (accepted) assert.equal(ready, vector.ready_wire);
        } else {
          assert.fail("a shape of vector that nobody checks");
        }
      });
    }
  });
}
