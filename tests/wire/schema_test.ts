import assert from "node:assert/strict";
import test from "node:test";
import { file_broker_v1_admin } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { file_broker_v1_envelope } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { file_broker_v1_manifest } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { file_broker_v1_order } from "../../src/wire/gen/broker_v1_order_pb.ts";
import { file_broker_v1_service_def } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { messagePlan } from "../../src/wire/message_plan.ts";

const files = [
  file_broker_v1_envelope,
  file_broker_v1_admin,
  file_broker_v1_manifest,
  file_broker_v1_order,
  file_broker_v1_service_def,
];

// First and last reserved number; descriptors hold the end of a message's range exclusively, of an enum's inclusively.
const RESERVED: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  Frame: [[10, 15]],
  Hello: [[16, 20]],
  HandoffOffer: [[5, 10]],
  HandoffAck: [[5, 10]],
  ErrorCode: [[10, 20]],
  AdminVerb: [[10, 20]],
  AdminReplyKind: [[10, 20]],
  AdminRequest: [[10, 20]],
  AdminReply: [[10, 20]],
  CacheManifest: [[110, 199], [200, 255]],
  CacheRootKind: [[10, 20]],
  StorageDisposition: [[5, 10]],
  EventKind: [[21, 50]],
};

test("the schemas keep exactly the reserved ranges of v1", () => {
  const seen: Record<string, [number, number][]> = {};
  for (const { messages, enums } of files) {
    for (const { name, proto } of messages) {
      if (proto.reservedRange.length === 0) continue;
      seen[name] = proto.reservedRange.map(({ start, end }) => [start, end - 1]);
    }
    for (const { name, proto } of enums) {
      if (proto.reservedRange.length === 0) continue;
      seen[name] = proto.reservedRange.map(({ start, end }) => [start, end]);
    }
  }
  assert.deepEqual(seen, RESERVED);
});

test("the schemas are package running_process.broker.v1 and the codec covers all of their types", () => {
  for (const file of files) {
    assert.equal(file.proto.package, "running_process.broker.v1");
    assert.equal(file.proto.syntax, "proto3");
    for (const message of file.messages) {
      assert.equal(messagePlan(message).ordered.length, message.fields.length);
    }
  }
});

test("our extension fields have numbers from 1000 on", () => {
  const extensions = files.flatMap((file) => file.messages).flatMap((message) => message.fields)
    .filter((field) => field.number >= 1000)
    .map((field) => `${field.parent.name}.${field.name} = ${field.number}`);
  assert.deepEqual(extensions, [
    "HandoffOffer.extensions = 1000",
    "HandoffOffer.residue = 1001",
    "HandoffOffer.channel_id = 1002",
    "HandoffAck.extensions = 1000",
    "HandoffAck.ready_relayed = 1001",
    "HandoffAck.channel_id = 1002",
  ]);
});
