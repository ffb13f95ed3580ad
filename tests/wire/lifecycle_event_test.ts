import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { EventKind, LifecycleEventSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { decodeStrict, encodeMessage } from "../../src/wire/strict_decode.ts";

/** The least that a pipe takes in one piece on any system: an event of this size is never torn. */
const PIPE_BUF_FLOOR = 512;
const U64_MAX = 2n ** 64n - 1n;

const KINDS = Object.values(EventKind);
/** Reserved for events to come. */
const KIND_LAST = 50;

test("a LifecycleEvent of any kind, its texts at their limits, fits into one write to a pipe", () => {
  assert.equal(KINDS.length, 21);
  for (let kind = 0; kind <= KIND_LAST; kind++) {
    const event = create(LifecycleEventSchema, {
      tsMs: U64_MAX,
      pid: 0xffff_ffff,
      serviceName: "s".repeat(64),
      kind: kind as EventKind,
      reason: "r".repeat(80),
      extra: { key: "value" },
      severityNumber: 24,
      severityText: "ERROR",
      requestId: "i".repeat(32),
      connectionId: U64_MAX,
      brokerInstance: `explicit:${"n".repeat(64)}`,
    });
    const bytes = encodeMessage(LifecycleEventSchema, event);
    assert.ok(bytes.length <= PIPE_BUF_FLOOR, `${bytes.length} bytes`);
    assert.deepEqual(decodeStrict(LifecycleEventSchema, bytes), event);
  }
});
