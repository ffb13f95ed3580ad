import assert from "node:assert/strict";
import test from "node:test";
import type { BackendEvent } from "../../src/backend/backend_event.ts";
import { BackendOrders, type BackendOrdersParts } from "../../src/backend/backend_orders.ts";
import {
  type BackendOrder,
  decodeOrderAnswer,
  encodeBackendOrder,
  type OrderAnswer,
} from "../../src/wire/backend_order.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import type { Frame } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { FakeStream } from "../transport/fake_stream.ts";

const PEER = { pid: 7, uid: 1000, gid: 100 };
const RELEASE: BackendOrder = { kind: "ReleaseHandles", pathPrefix: "/srv/cache" };
const QUIESCE: BackendOrder = { kind: "Quiesce", reason: "IdleTimeout", onlyIfIdle: true };

function frameOf(order: BackendOrder): Frame {
  const decoded = tryDecodeFramed(encodeBackendOrder(order));
  assert.ok(decoded.kind === "frame");
  return decoded.frame;
}

function desk(parts: Partial<BackendOrdersParts> = {}) {
  const events: BackendEvent[] = [];
  const stream = new FakeStream();
  const orders = new BackendOrders({
    checkBroker: () => Promise.resolve(undefined),
    connectionsOpen: (besides) => besides === stream ? 3 : 4,
    quiesce: () => assert.fail("nothing is to end"),
    onReleaseHandles: undefined,
    observe: (event) => void events.push(event),
    ...parts,
  });
  const answer = async (frame: Frame): Promise<OrderAnswer | undefined> => {
    const bytes = await orders.answer(frame, stream, () => PEER);
    if (bytes === undefined) return undefined;
    const decoded = decodeOrderAnswer(bytes.subarray(FRAME_HEADER_BYTES));
    assert.ok(decoded.ok);
    return decoded.answer;
  };
  return { events, stream, answer };
}

test("a peer that may not give orders is told why, and nothing happens", async () => {
  const seen: unknown[] = [];
  const { answer, events } = desk({
    checkBroker: (peer) => {
      seen.push(peer);
      return Promise.resolve("it is no broker");
    },
    onReleaseHandles: () => assert.fail("released for a stranger"),
  });
  for (const order of [RELEASE, QUIESCE]) {
    const wanted = { accepted: false, detail: "it is no broker", connectionsOpen: 3 };
    assert.deepEqual(await answer(frameOf(order)), wanted);
  }
  assert.deepEqual(seen, [PEER, PEER]);
  assert.deepEqual(events[0], {
    kind: "order",
    order: "ReleaseHandles",
    accepted: false,
    detail: "it is no broker",
  });
});

test("releasing handles is the application's, and acknowledged once it has done so", async () => {
  const acts: string[] = [];
  const { answer, events } = desk({
    async onReleaseHandles(pathPrefix) {
      await Promise.resolve();
      acts.push(pathPrefix);
    },
    observe: () => void acts.push("told"),
  });
  assert.deepEqual(await answer(frameOf(RELEASE)), { accepted: true, detail: "", connectionsOpen: 3 });
  assert.deepEqual([acts, events], [["/srv/cache", "told"], []]);
});

test("an application that releases no handles, or fails to, declines in words", async () => {
  const none = await desk().answer(frameOf(RELEASE));
  assert.deepEqual([none?.accepted, none?.detail], [
    false,
    "this backend does not know how to release handles",
  ]);
  const fails = [
    () => {
      throw new Error("x".repeat(5_000));
    },
    () => Promise.reject("x".repeat(5_000)),
  ];
  for (const onReleaseHandles of fails) {
    const answer = await desk({ onReleaseHandles }).answer(frameOf(RELEASE));
    assert.deepEqual([answer?.accepted, answer?.detail], [false, "x".repeat(500)]);
  }
});

test("an order to end is carried out with the connection it came on left out", async () => {
  const done: unknown[] = [];
  const wanted = { accepted: true, detail: "", connectionsOpen: 2 };
  const { answer, stream, events } = desk({
    quiesce: (order, besides) => {
      done.push(order, besides);
      return Promise.resolve(wanted);
    },
  });
  assert.deepEqual(await answer(frameOf(QUIESCE)), wanted);
  assert.deepEqual(done, [QUIESCE, stream]);
  assert.deepEqual(events, [{ kind: "order", order: "Quiesce", accepted: true, detail: "" }]);
});

test("a frame that holds no order is not answered, and nobody is asked about its sender", async () => {
  const { answer, events } = desk({ checkBroker: () => assert.fail("asked") });
  assert.equal(await answer({ ...frameOf(QUIESCE), payload: new Uint8Array(0) }), undefined);
  assert.deepEqual(events, []);
});
