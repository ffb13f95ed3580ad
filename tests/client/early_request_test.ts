import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { CancelSource } from "../../src/cancel_signal.ts";
import { type EarlyPlan, mayHaveRun, planEarlyRequest } from "../../src/client/early_request.ts";
import { publishMarker } from "../../src/broker/publish_marker.ts";
import type { DrainableStream } from "../../src/transport/transport.ts";
import { EARLY_DATA_BYTES_MAX } from "../../src/wire/handoff_extension.ts";
import { encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { within } from "../support/waiting.ts";
import { FakeStream } from "../transport/fake_stream.ts";
import { pattern, transport } from "../transport/_transport.ts";

const TOKEN = pattern(16, 8);
const READY = encodeHandoffReady({ token: TOKEN, accepted: true, correlationId: 5n });
const dir = await makeTempDir();
after(() => dir[Symbol.asyncDispose]());

/** A stand-in for a socket: a marker tells files apart by the same numbers. */
async function brokerAt(name: string, isMarked: boolean): Promise<string> {
  const endpoint = dir.join(name);
  await writeFile(endpoint, "");
  if (isMarked) await publishMarker(endpoint);
  return endpoint;
}

const [ours, another] = [await brokerAt("ours.sock", true), await brokerAt("another.sock", false)];

interface Ask {
  bytes?: number;
  repeatable?: boolean;
  canDrain?: boolean;
  broker?: string;
  adopt?: "auto" | boolean;
}

function plan({ bytes = 5, repeatable, canDrain = true, broker = ours, adopt }: Ask): EarlyPlan | undefined {
  const request = { service: "svc", version: "1.2.3", broker, adoptHandedOffConnection: adopt };
  const { fileLook } = transport;
  return planEarlyRequest({ ...request, earlyData: { bytes: pattern(bytes), repeatable } }, {
    canDrain,
    fileLook,
  });
}

test("a first request goes with the Hello to a broker known to take it, drainable unless it may run twice", () => {
  assert.equal(plan({}), "behind-hello-drainable");
  assert.equal(plan({ repeatable: true }), "behind-hello");
  assert.equal(plan({ adopt: true }), "behind-hello-drainable");
  assert.equal(plan({ bytes: EARLY_DATA_BYTES_MAX }), "behind-hello-drainable");
});

test("it waits when the broker is not known, it is too long or empty, or the client adopts nothing", () => {
  const waiting: Ask[] = [
    { broker: another },
    { broker: dir.join("nobody.sock") },
    { bytes: EARLY_DATA_BYTES_MAX + 1 },
    { bytes: 0 },
    { adopt: false },
  ];
  for (const ask of waiting) {
    for (const repeatable of [false, true]) assert.equal(plan({ ...ask, repeatable }), "when-connected");
  }
});

test("rule 14: where a connection cannot be drained, only a request that may run twice goes with the Hello", () => {
  assert.equal(plan({ canDrain: false }), "when-connected");
  assert.equal(plan({ canDrain: false, repeatable: true }), "behind-hello");
});

test("without a first request there is nothing to plan", () => {
  const request = { service: "svc", version: "1.2.3", broker: ours };
  assert.equal(planEarlyRequest(request, transport), undefined);
});

/** A connection whose receiving has been ended: what is queued comes, then its end. */
class Drained extends FakeStream implements DrainableStream {
  isStopped = true;
  stops = 0;

  stopReceiving(): boolean {
    this.stops++;
    return this.isStopped;
  }
}

function drained(...queued: Uint8Array[]): Drained {
  const stream = new Drained(...queued);
  stream.incoming.end();
  return stream;
}

const ran = (stream: DrainableStream, signal = new CancelSource()) =>
  within("the drain", mayHaveRun(stream, signal));

test("rule 14: a ready event in the drained queue means that the request may have run, none that it never can", async () => {
  assert.equal(await ran(drained(READY)), true);
  assert.equal(await ran(drained(READY.subarray(0, 9), READY.subarray(9))), true);
  assert.equal(await ran(drained(READY, pattern(40))), true, "also with the answer behind it");
  const empty = drained();
  assert.equal(await ran(empty), false);
  assert.equal(empty.stops, 1);
});

test("rule 14: any frame behind the broker's is somebody's who may have begun; a part of one is nobody's", async () => {
  const other = encodeHandoffReady({ token: pattern(16, 9), accepted: true, correlationId: 5n });
  assert.equal(await ran(drained(other)), true);
  for (const queued of [READY.subarray(0, 20), Uint8Array.of(1)]) {
    assert.equal(await ran(drained(queued)), false);
  }
});

test("rule 14: what could not be drained to its end may have run", async () => {
  const unstopped = drained();
  unstopped.isStopped = false;
  assert.equal(await ran(unstopped), true, "the kernel did not end receiving");
  assert.equal(await ran(new Drained()), true, "the end does not come");
  const signal = new CancelSource();
  const waiting = ran(new Drained(), signal);
  signal.abort(new Error("enough"));
  assert.equal(await waiting, true);
});
