import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import type { ClientEvent } from "../../mod.ts";
import { CAPABILITY_HANDLE_PASSING, CAPABILITY_HANDOFF_ANNOUNCED } from "../../src/wire/constants.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { type BrokerScript, startScriptedBroker } from "./scripted_broker.ts";
import { WAIT, within } from "../support/waiting.ts";

const TOKEN = new Uint8Array(16).fill(7);
const serverCapabilities = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED;
const LONG_MS = 60_000;

/** Answers nothing. */
const silent: BrokerScript = (client) => client.left();
/** Announces a handover that never comes. */
const promising: BrokerScript = async (client) => {
  await client.stream.write(client.reply({ handlePassedToken: TOKEN, serverCapabilities }));
  await client.left();
};
/** Announces a handover and hangs up. */
const breaking: BrokerScript = async ({ stream, reply }) => {
  await stream.write(reply({ handlePassedToken: TOKEN, serverCapabilities }));
};

describe("a client whose signal fires ends with the signal's reason and leaves nothing open", () => {
  const aborting = (title: string, script: BrokerScript, at: ClientEvent["kind"]) =>
    test(title, async () => {
      await using broker = await startScriptedBroker(script);
      const isCounted = process.platform === "linux";
      const before = isCounted ? await settledFdCount(process.pid, { stableMs: 20 }) : 0;
      const controller = new AbortController();
      const reason = new Error(`no longer wanted: ${title}`);
      const connecting = broker.connect({
        signal: controller.signal,
        deadlineMs: LONG_MS,
        handoffReadyTimeoutMs: LONG_MS,
        // Behind the event, when whatever comes next is waited for.
        observe: ({ kind }) => kind === at && setImmediate(() => controller.abort(reason)),
      });
      const seen = await within(title, connecting.then(() => undefined, (error: unknown) => error));
      assert.equal(seen, reason);
      if (isCounted) assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
    });
  aborting("while the broker is silent", silent, "connected");
  aborting("while the reply is awaited", silent, "hello-sent");
  aborting("while the ready event is awaited", promising, "negotiated");
});

describe("a client whose signal fires between two waits", () => {
  const aborting = (title: string, script: BrokerScript, at: ClientEvent["kind"]) =>
    test(title, async () => {
      await using broker = await startScriptedBroker(script);
      const controller = new AbortController();
      const reason = new Error(`no longer wanted: ${title}`);
      const connecting = broker.connect({
        signal: controller.signal,
        observe: ({ kind }) => kind === at && controller.abort(reason),
      });
      const seen = await within(title, connecting.then(() => undefined, (error: unknown) => error));
      assert.equal(seen, reason);
    });
  aborting("before the Hello", silent, "connected");
  aborting("behind the reply", promising, "negotiated");
  aborting("before it reconnects", breaking, "handoff-fallback");
});

test("a client whose signal has fired asks nobody", async () => {
  let connections = 0;
  await using broker = await startScriptedBroker(() => {}, (stream) => (connections++, stream.close()));
  const reason = new Error("never wanted");
  const connecting = broker.connect({
    signal: AbortSignal.abort(reason),
    cachedBackendEndpoint: broker.backendEndpoint,
  });
  assert.equal(await connecting.then(() => undefined, (error: unknown) => error), reason);
  assert.equal(connections, 0);
});
