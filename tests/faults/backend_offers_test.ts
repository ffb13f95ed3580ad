import assert from "node:assert/strict";
import process from "node:process";
import { after, describe, test } from "node:test";
import { FrameKind, PayloadEncoding } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { header, textBytes } from "./hostile_frames.ts";
import { requireEcho, startLocalBackend } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import {
  dialRaw,
  newToken,
  offerFrame,
  type PassablePair,
  passablePair,
  type RawControl,
} from "./raw_control.ts";
import { WAIT, within } from "../support/waiting.ts";

const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());

/** Runs one handoff with whatever the test does, and wants every descriptor back. */
async function offering(run: (control: RawControl, pair: PassablePair) => Promise<void>): Promise<void> {
  const isCounted = process.platform === "linux";
  const before = isCounted ? await settledFdCount(process.pid, { stableMs: 20 }) : 0;
  const pair = passablePair();
  const control = await dialRaw(served.handoffEndpoint);
  try {
    await run(control, pair);
  } finally {
    control.close();
    pair.client.close();
    pair.forget();
  }
  if (isCounted) assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
}

/** Counted from before the test: the application must not see what is not adopted. */
function handedOver(): number {
  return served.events.of("connection").filter(({ origin }) => origin === "handoff").length;
}

async function refusal(): Promise<string> {
  const events = served.events.of("handoff-refused");
  return (await served.events.nth("handoff-refused", events.length + 1)).reason;
}

test("an offer that is right is adopted, acknowledged and served", () =>
  offering(async (control, { passed, client, forget }) => {
    const token = newToken();
    control.sendWithFds(token, [passed]);
    control.send(offerFrame({ token }));
    const { accepted, correlationId, token: echoed, errorDetail } = await control.ack();
    assert.deepEqual({ accepted, correlationId, errorDetail }, {
      accepted: true,
      correlationId: 7n,
      errorDetail: "",
    });
    assert.deepEqual([...echoed], [...token]);
    forget();
    await requireEcho(client, "adopted");
  }));

describe("an offer that is complete and refused is answered, and never reaches the application", () => {
  const refusing = (
    title: string,
    detail: string,
    offer: (token: Uint8Array) => Uint8Array,
    prepare: (pair: PassablePair) => void | Promise<void> = () => {},
  ) =>
    test(title, () =>
      offering(async (control, pair) => {
        const token = newToken();
        const before = handedOver();
        await prepare(pair);
        const reason = refusal();
        control.sendWithFds(token, [pair.passed]);
        control.send(offer(token));
        const { accepted, errorDetail, correlationId } = await control.ack();
        assert.deepEqual({ accepted, errorDetail, correlationId }, {
          accepted: false,
          errorDetail: detail,
          correlationId: 7n,
        });
        await reason;
        assert.equal(handedOver(), before);
        pair.forget();
        assert.equal((await within("the end of the client", readToEnd(pair.client))).length, 0);
      }));
  const mine = (token: Uint8Array) => offerFrame({ token });
  refusing(
    "another token",
    "handoff token mismatch",
    (token) => offerFrame({ token: token.map((b) => b ^ 1) }),
  );
  refusing("no token", "handoff token is missing", () => offerFrame({}));
  refusing(
    "a token of 15 bytes",
    "handoff token length was 15 bytes; expected 16",
    (token) => offerFrame({ token: token.subarray(0, 15) }),
  );
  refusing("a client that has left", "handoff connection was closed by the client", mine, ({ client }) => {
    client.close();
    return client.closed;
  });
  refusing(
    "a client whose bytes are there already",
    "handoff connection has data before it is ready",
    mine,
    ({ client }) => client.write(textBytes("early")),
  );
  refusing(
    "residue that nobody agreed on",
    "handoff in relay mode cannot carry early data",
    (token) => offerFrame({ token, residue: textBytes("early") }),
  );
});

test("a token that was used is refused when it comes again", async () => {
  const token = newToken();
  for (const wanted of ["", "handoff token is not pending"]) {
    await offering(async (control, { passed }) => {
      control.sendWithFds(token, [passed]);
      control.send(offerFrame({ token }));
      assert.equal((await control.ack()).errorDetail, wanted);
    });
  }
});

describe("what is no offer is dropped without an answer", () => {
  const token = newToken();
  const good = offerFrame({ token });
  const dropping = (title: string, reason: string, send: (control: RawControl, fd: number) => void) =>
    test(title, () =>
      offering(async (control, { passed }) => {
        const before = handedOver();
        const seen = refusal();
        send(control, passed);
        assert.equal((await control.answer()).length, 0);
        assert.equal(await seen, reason);
        assert.equal(handedOver(), before);
      }));
  const behindPrefix = (title: string, reason: string, bytes: Uint8Array) =>
    dropping(title, reason, (control, fd) => {
      control.sendWithFds(token, [fd]);
      control.send(bytes);
    });

  dropping("no descriptor", "missing-fd", (control) => (control.send(token), control.send(good)));
  dropping("an offer without prefix and descriptor", "invalid-offer", (control) => control.send(good));
  dropping("two descriptors in one message", "unexpected-fds", (control, fd) => {
    control.sendWithFds(token, [fd, fd]);
  });
  dropping("a descriptor with each half of the prefix", "unexpected-fds", (control, fd) => {
    control.sendWithFds(token.subarray(0, 8), [fd]);
    control.sendWithFds(token.subarray(8), [fd]);
  });
  dropping("a descriptor with the offer as well", "unexpected-fds", (control, fd) => {
    control.sendWithFds(token, [fd]);
    control.sendWithFds(good, [fd]);
  });
  dropping("more descriptors than are ever taken", "peer-rejected", (control, fd) => {
    control.sendWithFds(token, Array(40).fill(fd));
  });
  behindPrefix("another framing version", "unsupported-framing", Uint8Array.of(2, 0, 0, 0, 0));
  behindPrefix("an offer of 2^32-1 bytes", "offer-too-large", header(0xffff_ffff));
  behindPrefix("an empty frame", "invalid-offer", header(0));
  behindPrefix("a frame of garbage", "invalid-offer", header(4, 7, 7, 7, 7));
  behindPrefix("an EVENT", "invalid-offer", offerFrame({ token }, { kind: FrameKind.EVENT }));
  behindPrefix("envelope version 2", "invalid-offer", offerFrame({ token }, { envelopeVersion: 2 }));
  behindPrefix("another payload protocol", "invalid-offer", offerFrame({ token }, { payloadProtocol: 0 }));
  behindPrefix(
    "a compressed offer",
    "invalid-offer",
    offerFrame({ token }, { payloadEncoding: PayloadEncoding.ZSTD }),
  );
  behindPrefix("another request id", "invalid-offer", offerFrame({ token }, { requestId: 8n }));
});

test("an offer cut at any byte is dropped, and its descriptor with it", async () => {
  const isCounted = process.platform === "linux";
  const before = isCounted ? await settledFdCount(process.pid, { stableMs: 20 }) : 0;
  const handedBefore = handedOver();
  const { passed, client, forget } = passablePair();
  const token = newToken();
  const offer = offerFrame({ token });
  const refusedBefore = served.events.of("handoff-refused").length;
  const cuts = token.length + offer.length;
  for (let cut = 0; cut < cuts; cut++) {
    const control = await dialRaw(served.handoffEndpoint);
    if (cut > 0) control.sendWithFds(token.subarray(0, cut), [passed]);
    if (cut > token.length) control.send(offer.subarray(0, cut - token.length));
    control.close();
    const { reason } = await served.events.nth("handoff-refused", refusedBefore + cut + 1);
    assert.equal(reason, "control-eof", `cut at ${cut}`);
  }
  forget();
  assert.equal((await within("the end of the client", readToEnd(client))).length, 0);
  client.close();
  assert.equal(handedOver(), handedBefore);
  if (isCounted) assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
});

test("a client that leaves an adopted connection silently never reaches the application", () =>
  offering(async (control, { passed, client, forget }) => {
    const before = handedOver();
    const unused = served.events.of("connection-unused").length;
    const token = newToken();
    control.sendWithFds(token, [passed]);
    control.send(offerFrame({ token }));
    assert.equal((await control.ack()).accepted, true);
    forget();
    client.close();
    const event = await served.events.nth("connection-unused", unused + 1);
    assert.deepEqual({ origin: event.origin, detail: event.detail }, { origin: "handoff", detail: "end" });
    assert.equal(handedOver(), before);
  }));
