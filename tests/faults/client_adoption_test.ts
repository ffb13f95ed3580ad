import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConnectBackendRequest } from "../../mod.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { CAPABILITY_HANDLE_PASSING, CAPABILITY_HANDOFF_ANNOUNCED } from "../../src/wire/constants.ts";
import { encodeHandoffAck, encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { byteByByte, header, textBytes } from "./hostile_frames.ts";
import { readExactly, requireEcho } from "./local_pair.ts";
import { type HeardClient, startScriptedBroker } from "./scripted_broker.ts";
import { within } from "../support/waiting.ts";

const TOKEN = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 ^ index);
const OURS = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED;
const LONG_MS = 60_000;
const ready = (fields = {}) =>
  encodeHandoffReady({ token: TOKEN, accepted: true, correlationId: 5n, ...fields });
const announcing = ({ reply }: HeardClient, serverCapabilities = OURS) =>
  reply({ handlePassedToken: TOKEN, serverCapabilities });

describe("a connection that is handed over is kept", () => {
  const keeping = (title: string, writes: (client: HeardClient) => readonly Uint8Array[], text = "") =>
    test(title, async () => {
      await using broker = await startScriptedBroker(async (client) => {
        for (const bytes of writes(client)) await client.stream.write(bytes);
        // From here on it plays the backend.
        const chunk = await client.stream.read();
        if (chunk !== null) await client.stream.write(chunk);
        await client.left();
      });
      await using session = await broker.connect({ handoffReadyTimeoutMs: LONG_MS });
      assert.equal(session.route, "handle-passed");
      assert.equal(session.handoffFallback, undefined);
      assert.deepEqual([...session.handoffToken ?? []], [...TOKEN]);
      const behind = await within("the bytes behind", readExactly(session.stream, text.length));
      assert.equal(new TextDecoder().decode(behind), text);
      await requireEcho(session.stream, "same connection");
    });
  keeping("by a ready event of its own", (client) => [announcing(client), ready()]);
  keeping(
    "by a ready event in one write with the reply",
    (client) => [concatBytes(announcing(client), ready())],
  );
  keeping(
    "by bytes that come one at a time",
    (client) => byteByByte(concatBytes(announcing(client), ready())),
  );
  keeping(
    "with what comes behind the ready event",
    (client) => [announcing(client), concatBytes(ready(), textBytes("behind"))],
    "behind",
  );
  keeping(
    "with what comes behind, all in one write",
    (client) => [concatBytes(announcing(client), ready(), textBytes("behind"))],
    "behind",
  );
  keeping(
    "whatever correlation id the event has",
    (client) => [announcing(client), ready({ correlationId: 99n })],
  );
});

describe("a connection that is not handed over is left, silently", () => {
  const leaving = (
    title: string,
    fallback: RegExp,
    rest: (client: HeardClient) => void | Promise<void>,
    handoffReadyTimeoutMs = LONG_MS,
  ) =>
    test(title, async () => {
      let wasLeft = () => {};
      const left = new Promise<void>((resolve) => wasLeft = resolve);
      await using broker = await startScriptedBroker(async (client) => {
        await client.stream.write(announcing(client));
        await rest(client);
        await client.left();
        wasLeft();
      });
      await using session = await broker.connect({ handoffReadyTimeoutMs });
      assert.equal(session.route, "broker-negotiated");
      assert.match(session.handoffFallback ?? "", fallback);
      await within("the end of the first connection", left);
      await requireEcho(session.stream, "another connection");
    });
  const answer = (bytes: Uint8Array) => async ({ stream }: HeardClient) => await stream.write(bytes);
  leaving("another token", /token does not match/, answer(ready({ token: TOKEN.map((byte) => byte ^ 1) })));
  leaving("an event that does not accept", /does not accept/, answer(ready({ accepted: false })));
  leaving("an ACK instead", /kind is not EVENT/, answer(encodeHandoffAck({ token: TOKEN, accepted: true })));
  leaving("text", /unsupported framing version/, answer(textBytes("HELLO")));
  leaving("a frame of garbage", /failed to decode handoff-ready Frame/, answer(header(3, 7, 7, 7)));
  leaving(
    "a good event behind a bad one",
    /does not accept/,
    answer(concatBytes(ready({ accepted: false }), ready())),
  );
  leaving("the end", /^the broker closed the connection$/, ({ stream }) => stream.closeWrite());
  leaving("half an event and the end", /closed the connection/, async ({ stream }) => {
    await stream.write(ready().subarray(0, 9));
    await stream.closeWrite();
  });
  leaving("nothing", /^no handoff-ready event in 50 ms$/, () => {}, 50);
  leaving("an event that comes too late", /^no handoff-ready event in 50 ms$/, async (client) => {
    await client.left();
    await client.stream.write(ready()).catch(() => {/* nobody is there to take it */});
  }, 50);
});

describe("who waits for a handover, and who says so", () => {
  const waits = (
    adoptHandedOffConnection: ConnectBackendRequest["adoptHandedOffConnection"],
    capabilities: bigint,
    token: Uint8Array,
    isWaiting: boolean,
  ) => {
    const sent = adoptHandedOffConnection === undefined ? "the default" : String(adoptHandedOffConnection);
    const bits = `bits ${capabilities.toString(16)}${token.length === 0 ? ", no token" : ""}`;
    test(`${sent} against ${bits}: ${isWaiting ? "waits" : "reconnects at once"}`, async () => {
      await using broker = await startScriptedBroker(async (client) => {
        await client.stream.write(
          client.reply({ handlePassedToken: token, serverCapabilities: capabilities }),
        );
        if (isWaiting) await client.stream.write(ready());
        // A client that waited in vain would do so for a minute.
        await client.left();
      });
      await using session = await within(
        "the connection",
        broker.connect({ adoptHandedOffConnection, handoffReadyTimeoutMs: LONG_MS }),
      );
      assert.equal(session.route, isWaiting ? "handle-passed" : "broker-negotiated");
      assert.equal(session.handoffFallback, undefined);
    });
  };
  const none = new Uint8Array(0);
  waits(undefined, OURS, TOKEN, true);
  waits("auto", OURS, TOKEN, true);
  // A broker of the reference issues a token whether or not a handover can follow.
  waits("auto", CAPABILITY_HANDLE_PASSING, TOKEN, false);
  waits("auto", CAPABILITY_HANDOFF_ANNOUNCED, TOKEN, false);
  waits("auto", OURS, none, false);
  waits(true, CAPABILITY_HANDLE_PASSING, TOKEN, true);
  waits(true, OURS, TOKEN, true);
  waits(true, 0n, TOKEN, false);
  waits(true, CAPABILITY_HANDLE_PASSING, none, false);
  waits(false, OURS, TOKEN, false);

  test("the Hello offers what the client will wait for", async () => {
    await using broker = await startScriptedBroker(async ({ stream, reply }) => await stream.write(reply()));
    for (const adoptHandedOffConnection of ["auto", true, false] as const) {
      await (await broker.connect({ adoptHandedOffConnection }))[Symbol.asyncDispose]();
    }
    const offered = broker.hellos.map(({ clientCapabilities }) => clientCapabilities);
    assert.deepEqual(offered, [OURS, CAPABILITY_HANDLE_PASSING, 0n]);
  });
});
