import assert from "node:assert/strict";
import test from "node:test";
import {
  applicationPayloadProtocol,
  FIRST_PARTY_PAYLOAD_PROTOCOLS,
  isFirstPartyPayloadProtocol,
  isPrivateUseId,
  isRegisteredConsumerId,
  payloadProtocolText,
  REGISTERED_CONSUMERS,
} from "../../src/wire/payload_protocol.ts";

test("the registry has the four first-party ids, by list and not by range", () => {
  assert.deepEqual(FIRST_PARTY_PAYLOAD_PROTOCOLS, [0, 0xad01, 0xb232, 0xd0ff]);
  assert.ok(FIRST_PARTY_PAYLOAD_PROTOCOLS.every(isFirstPartyPayloadProtocol));
  for (const id of [1, 0x6fff, 0xad00, 0xb233, 0x5350]) assert.equal(isFirstPartyPayloadProtocol(id), false);
});

test("ranges of consumers and private use have exact bounds", () => {
  const consumers = [0x6fff, 0x7000, 0x7eff, 0x7f00].map(isRegisteredConsumerId);
  assert.deepEqual(consumers, [false, true, true, false]);
  const privateUse = [0xefff, 0xf000, 0xffff, 0x10000].map(isPrivateUseId);
  assert.deepEqual(privateUse, [false, true, true, false]);
  assert.equal(isRegisteredConsumerId(0x7000 + 0.5), false);
  assert.ok(Object.values(REGISTERED_CONSUMERS).every(isRegisteredConsumerId));
});

test("applicationPayloadProtocol() accepts consumer and private ids only", () => {
  for (const id of [0x7a63, 0x7c4c, 0x7eb1, 0xf000, 0xffff]) assert.equal(applicationPayloadProtocol(id), id);
  for (const id of [0, 0xad01, 0xb232, 0xd0ff, 0x6fff, 0x7f00, 0xefff, 0x10000, -1, NaN]) {
    assert.throws(() => applicationPayloadProtocol(id), RangeError);
  }
});

test("payloadProtocolText() pads to four upper-case digits", () => {
  assert.deepEqual([0, 0x7a63, 0x10000].map(payloadProtocolText), ["0x0000", "0x7A63", "0x10000"]);
});
