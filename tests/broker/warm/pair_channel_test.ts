import assert from "node:assert/strict";
import { test } from "node:test";
import { pairDoorbell, PAIRING_DEADLINE_MS } from "../../../src/broker/warm/pair_channel.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { BrokerError } from "../../../src/errors.ts";
import { FRAME_HEADER_BYTES } from "../../../src/wire/constants.ts";
import {
  EXTENSION_DOORBELL,
  EXTENSION_KEEP_OPEN,
  WARM_EXTENSIONS,
} from "../../../src/wire/handoff_extension.ts";
import { decodeHandoffOffer } from "../../../src/wire/handoff_frames.ts";
import { within } from "../../support/waiting.ts";
import { type Dial, FakeControl, FakeDialer } from "../_fake_handoff.ts";
import { pairedDoorbell, warmAck } from "./_channel.ts";

const CHANNEL_ID = new Uint8Array(16).fill(3);

function pair(dial: Dial, signal = new CancelSource()) {
  const dialer = new FakeDialer(dial);
  const place = { transport: dialer.transport, handoffEndpoint: "/run/ho.sock", backendPid: 9 };
  return { dialer, paired: within("the pairing", pairDoorbell({ ...place, channelId: CHANNEL_ID, signal })) };
}

test("the doorbell is dialled at the same process, names its channel without a token, and waits for the answer", async () => {
  const doorbell = pairedDoorbell();
  const { dialer, paired } = pair(doorbell);
  assert.equal(await paired, doorbell);
  assert.deepEqual(dialer.dials, [{
    endpoint: "/run/ho.sock",
    deadlineMs: PAIRING_DEADLINE_MS,
    backendPid: 9,
  }]);
  assert.equal(doorbell.written.length, 1);
  const decoded = decodeHandoffOffer(doorbell.written[0]!.subarray(FRAME_HEADER_BYTES));
  assert.ok(decoded.ok);
  const { token, extensions, channelId, correlationId } = decoded.offer;
  assert.deepEqual([token.length, extensions, channelId, correlationId], [
    0,
    WARM_EXTENSIONS,
    CHANNEL_ID,
    0n,
  ]);
  assert.equal(doorbell.calls.close, 0);
});

test("bytes behind the answer are left for the channel", async () => {
  const doorbell = pairedDoorbell();
  const next = warmAck(5);
  doorbell.incoming.push(next);
  await pair(doorbell).paired;
  assert.deepEqual(await doorbell.read(), next);
});

test("rule 2: a backend that does not honour everything is not used, and its connection closed", async () => {
  const answers = [
    pairedDoorbell({ extensions: 0n }),
    pairedDoorbell({ extensions: EXTENSION_DOORBELL | EXTENSION_KEEP_OPEN }),
    pairedDoorbell({ accepted: false }),
    pairedDoorbell({ correlationId: 1n }),
    pairedDoorbell({ token: new Uint8Array(16) }),
  ];
  for (const doorbell of answers) {
    await assert.rejects(pair(doorbell).paired, { code: "protocol" });
    assert.equal(doorbell.calls.close, 1);
  }
  const silent = new FakeControl();
  silent.incoming.end();
  await assert.rejects(pair(silent).paired);
  assert.equal(silent.calls.close, 1);
});

test("a backend that cannot be reached, or is another process, is not paired", async () => {
  const other = new BrokerError("peer-rejected", "Cannot hand over: it is served by process 8");
  await assert.rejects(pair(other).paired, other);
  await assert.rejects(pair({ errno: "ECONNREFUSED" }).paired, { code: "os" });
});

test("the broker's stop ends the dial and the wait for the answer", async () => {
  for (const dial of ["never" as const, new FakeControl()]) {
    const signal = new CancelSource();
    const { paired } = pair(dial, signal);
    signal.abort(new Error("stop"));
    await assert.rejects(paired, /^Error: stop$/);
    if (dial !== "never") assert.equal(dial.calls.close, 1);
  }
});
