import assert from "node:assert/strict";
import process from "node:process";
import { after, describe, test } from "node:test";
import { concatBytes } from "../../src/wire/bytes.ts";
import { decodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { WAIT, within } from "../support/waiting.ts";
import { pattern } from "../transport/_transport.ts";
import { readExactly, requireEcho, startLocalBackend } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import { newToken, offerFrame } from "./raw_control.ts";
import {
  dialRawEnd,
  hugeFrame,
  openRawChannel,
  type RawChannel,
  type RawClient,
  ringFrame,
} from "./warm_raw.ts";

const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());
const open = () => openRawChannel(served.handoffEndpoint);

/** Passes a client's connection and offers it as it should be. */
function offer(channel: RawChannel, residue = new Uint8Array(0), client = channel.client()): RawClient {
  channel.pass(client);
  client.forget();
  channel.ring(client, { residue });
  return client;
}

/** The client hears that it is adopted, and has its echo. */
async function requireAdopted({ client, token }: RawClient, residue = new Uint8Array(0)): Promise<void> {
  const body = await within("the ready event", readFrame(client));
  assert.equal(decodeHandoffReady(body, token).ok, true);
  assert.deepEqual(await within("the early answer", readExactly(client, residue.length)), residue);
  await requireEcho(client, "adopted");
}

/** The channel takes another client. */
async function requireGoesOn(channel: RawChannel): Promise<void> {
  const client = offer(channel);
  await requireAdopted(client);
  client.client.close();
}

/** The client's connection ends, and nothing has come on it. */
async function requireEnded({ client }: RawClient): Promise<void> {
  assert.equal((await within("the client's end", readToEnd(client))).length, 0);
  client.close();
}

/** Both connections of a channel end. */
async function requireChannelEnded({ passing, doorbell }: RawChannel): Promise<void> {
  await within("the end of both", Promise.all([readToEnd(passing.stream), readToEnd(doorbell.stream)]));
}

test("I3: what came along is read first, byte by byte in order, then what was sent meanwhile", async () => {
  const channel = await open();
  for (const length of [0, 1, 100, 16_384]) {
    const residue = pattern(length);
    const client = channel.client();
    await client.client.write(pattern(30, length));
    offer(channel, residue, client);
    await within("the ready event", readFrame(client.client));
    const seen = await within("the answer", readExactly(client.client, length + 30));
    assert.deepEqual(seen, pattern(length + 30));
    client.client.close();
    const ack = await channel.doorbell.ack();
    assert.deepEqual([ack.accepted, ack.readyRelayed, ack.correlationId], [true, true, client.id]);
  }
  channel.close();
});

describe("what makes a channel worthless ends it and whoever was being offered, and nobody else", () => {
  const violations: Record<string, (channel: RawChannel, client: RawClient) => void> = {
    "an offer without a descriptor": (channel, client) => channel.ring(client),
    "a descriptor that belongs to another offer": (channel, client) => {
      channel.pass(client);
      channel.ring({ ...client, token: newToken() });
    },
    "two descriptors with one token": (channel, client) => {
      channel.passing.sendWithFds(client.token, [client.passed, client.passed]);
      channel.ring(client);
    },
    "a token without a descriptor": (channel, client) => {
      channel.passing.send(client.token);
      channel.ring(client);
    },
    "a part of a token": (channel, client) => {
      channel.passing.sendWithFds(client.token.subarray(0, 9), [client.passed]);
      channel.ring(client);
    },
    "an offer without a token": (channel, client) => {
      channel.pass(client);
      channel.ring(client, { token: new Uint8Array(0) });
    },
    "garbage on the doorbell": (channel, client) => {
      channel.pass(client);
      channel.doorbell.send(pattern(40, 3));
    },
    "an endless frame": (channel, client) => {
      channel.pass(client);
      channel.doorbell.send(hugeFrame());
    },
    "the doorbell's own frame again": (channel, client) => {
      channel.pass(client);
      channel.doorbell.send(ringFrame(channel.channelId));
    },
  };
  for (const [title, violate] of Object.entries(violations)) {
    test(title, async () => {
      const channel = await open();
      const before = offer(channel);
      await requireAdopted(before);
      const client = channel.client();
      violate(channel, client);
      client.forget();
      const behind = channel.client();
      try {
        channel.pass(behind);
      } catch {
        // The channel has ended already.
      }
      behind.forget();
      await requireChannelEnded(channel);
      await Promise.all([client, behind].map(requireEnded));
      await requireEcho(before.client, "and on");
      before.client.close();
      channel.close();
    });
  }
});

test("rule 9: a descriptor whose offer never comes is closed with the channel", async () => {
  const channel = await open();
  const client = channel.client();
  channel.pass(client);
  client.forget();
  channel.doorbell.stream.close();
  await requireEnded(client);
  await within("the other end", readToEnd(channel.passing.stream));
  channel.close();
});

test("descriptors that were sent before their connection ended are still good, and the next offer ends the channel", async () => {
  const channel = await open();
  const [client, late] = [channel.client(), channel.client()];
  channel.pass(client);
  client.forget();
  channel.passing.stream.close();
  channel.ring(client);
  await requireAdopted(client);
  channel.ring(late);
  late.forget();
  await requireEnded(late);
  await within("the doorbell's end", readToEnd(channel.doorbell.stream));
  client.client.close();
  channel.close();
});

test("rule 24: a token is good once; its second offer is refused in words, and the channel goes on", async () => {
  const channel = await open();
  const first = offer(channel);
  await requireAdopted(first);
  assert.equal((await channel.doorbell.ack()).accepted, true);
  const again = { ...channel.client(), token: first.token };
  offer(channel, undefined, again);
  await requireEnded(again);
  const refused = await channel.doorbell.ack();
  assert.deepEqual([refused.accepted, refused.readyRelayed], [false, false]);
  assert.match(refused.errorDetail, /not pending/);
  await requireGoesOn(channel);
  first.client.close();
  channel.close();
});

test("rule 5: a client that has left is refused, whatever it had sent, and nothing of it is served", async () => {
  const channel = await open();
  const adopted = served.events.of("adopted").length;
  for (const bytes of [0, 50]) {
    const client = channel.client();
    if (bytes > 0) await client.client.write(pattern(bytes));
    client.client.close();
    await client.client.closed;
    offer(channel, pattern(20), client);
    const ack = await channel.doorbell.ack();
    assert.equal(ack.accepted, false);
    assert.match(ack.errorDetail, /closed by the client/);
  }
  assert.equal(served.events.of("adopted").length, adopted);
  channel.close();
});

test("a doorbell of an unknown, a used or a half channel is closed unanswered", async () => {
  const channel = await open();
  for (const channelId of [new Uint8Array(16), channel.channelId, channel.channelId.subarray(1)]) {
    const end = await dialRawEnd(served.handoffEndpoint);
    end.send(ringFrame(channelId));
    assert.equal((await within("its end", readToEnd(end.stream))).length, 0);
    end.stream.close();
  }
  await requireGoesOn(channel);
  channel.close();
});

test("rules 20 and 23: many offers in one write each find their own descriptor, and are acknowledged together", async () => {
  const channel = await open();
  const clients = Array.from({ length: 100 }, () => channel.client());
  for (const client of clients) channel.pass(client);
  const frames = clients.map(({ token, id }) =>
    offerFrame({ token, correlationId: id, extensions: 3n, residue: pattern(10, Number(id)) }, {
      requestId: id,
    })
  );
  channel.doorbell.send(concatBytes(...frames));
  for (const client of clients) {
    client.forget();
    await requireAdopted(client, pattern(10, Number(client.id)));
    client.client.close();
  }
  const ids = new Set<bigint>();
  for (const _ of clients) ids.add((await channel.doorbell.ack()).correlationId);
  assert.deepEqual(ids, new Set(clients.map(({ id }) => id)));
  channel.close();
});

test("I5: channels that are opened and broken in every way leave no descriptor open", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const before = await settledFdCount();
  for (let round = 0; round < 20; round++) {
    const channel = await open();
    const adopted = offer(channel);
    await requireAdopted(adopted);
    const pending = channel.client();
    channel.pass(pending);
    pending.forget();
    if (round % 2 === 0) channel.doorbell.send(pattern(9, 5));
    channel.close();
    await requireEnded(pending);
    adopted.client.close();
  }
  const lonely = await dialRawEnd(served.handoffEndpoint);
  lonely.stream.close();
  assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
});
