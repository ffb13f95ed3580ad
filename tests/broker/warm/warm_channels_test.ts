import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import type { WarmEnding } from "../../../src/broker/warm/warm_channel.ts";
import { WARM_RETRY_MS, WarmChannels } from "../../../src/broker/warm/warm_channels.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { until } from "../../support/waiting.ts";
import { type Dial, FakeControl, FakeDialer } from "../_fake_handoff.ts";
import { registeredBackend } from "../_hello_values.ts";
import { pairedDoorbell, warmRequest } from "./_channel.ts";

const CHANNEL_ID = new Uint8Array(16).fill(3);
const BACKEND = registeredBackend();

/** The same backend as another process. */
function restarted(pid: number): RegisteredBackend {
  return registeredBackend({ identity: { ...BACKEND.identity, pid }, process: { pid, startMark: "2" } });
}

function channelsOver(...dials: Dial[]) {
  const dialer = new FakeDialer(...dials);
  const events: BrokerEvent[] = [];
  const endings: WarmEnding["kind"][] = [];
  const time = { nowMs: 1_000 };
  const stop = new CancelSource();
  const channels = new WarmChannels({
    transport: dialer.transport,
    clock: () => time.nowMs,
    observe: (event) => void events.push(event),
    ended: (_backend, _offer, { kind }) => void endings.push(kind),
    signal: stop,
  });
  const keep = async (backend = BACKEND, passing = new FakeControl()) => {
    await channels.keep(backend, passing, CHANNEL_ID);
    return passing;
  };
  return { channels, dialer, events, endings, time, stop, keep };
}

const kinds = (events: readonly BrokerEvent[]) => events.map(({ kind }) => kind);

test("a backend is warmed up once, and again when some time has passed", () => {
  const { channels, time } = channelsOver();
  assert.equal(channels.mayBegin(BACKEND), true);
  for (let i = 0; i < 5; i++) assert.equal(channels.mayBegin(BACKEND), false);
  assert.equal(channels.mayBegin(registeredBackend({ key: { ...BACKEND.key, service: "other" } })), true);
  time.nowMs += WARM_RETRY_MS - 1;
  assert.equal(channels.mayBegin(BACKEND), false);
  time.nowMs += 1;
  assert.equal(channels.mayBegin(BACKEND), true);
});

test("a control connection that is paired is a channel, told once, and found from then on", async () => {
  const { channels, events, dialer, keep } = channelsOver(pairedDoorbell());
  assert.equal(channels.find(BACKEND), undefined);
  await keep();
  assert.ok(channels.find(BACKEND)?.canTake);
  assert.equal(channels.mayBegin(BACKEND), false);
  const { service, version } = BACKEND.key;
  assert.deepEqual(events, [{ kind: "handoff-channel", service, version, pid: 4242 }]);
  assert.equal(dialer.dials[0]?.backendPid, 4242);
  channels.close();
});

test("one that cannot be paired is closed, and nothing is told", async () => {
  const { channels, events, keep } = channelsOver(
    { errno: "ECONNREFUSED" },
    pairedDoorbell({ extensions: 0n }),
  );
  for (let i = 0; i < 2; i++) assert.equal((await keep()).calls.close, 1);
  assert.deepEqual([channels.find(BACKEND), events], [undefined, []]);
});

test("a second one for the same process is closed, whichever is paired first", async () => {
  const doorbells = [pairedDoorbell(), pairedDoorbell()];
  const { channels, events, keep } = channelsOver(...doorbells);
  const controls = await Promise.all([keep(), keep()]);
  assert.deepEqual(controls.map(({ calls }) => calls.close), [0, 1]);
  assert.deepEqual(doorbells.map(({ calls }) => calls.close), [0, 1]);
  assert.equal((await keep()).calls.close, 1);
  assert.deepEqual(kinds(events), ["handoff-channel"]);
  channels.close();
});

test("a channel that ends is told, and the backend warmed up again at once", async () => {
  const { channels, events, endings, keep } = channelsOver(pairedDoorbell(), pairedDoorbell());
  channels.mayBegin(BACKEND);
  const passing = await keep();
  channels.find(BACKEND)!.offer(warmRequest(1));
  passing.incoming.end();
  await until("its end", () => kinds(events).includes("handoff-channel-lost"));
  assert.deepEqual([endings, channels.find(BACKEND)], [["lost"], undefined]);
  assert.equal(channels.mayBegin(BACKEND), true);
  await keep();
  assert.ok(channels.find(BACKEND)?.canTake);
  channels.close();
});

test("rule 24: the channel of an earlier process is closed and never used for a later one", async () => {
  const { channels, events, endings, keep } = channelsOver(pairedDoorbell());
  const passing = await keep();
  channels.find(BACKEND)!.offer(warmRequest(1));
  assert.equal(channels.find(restarted(5)), undefined);
  assert.equal(passing.calls.close, 1);
  assert.deepEqual([endings, kinds(events)], [["lost"], ["handoff-channel", "handoff-channel-lost"]]);
  assert.equal(channels.mayBegin(restarted(5)), true);
});

test("a channel that is paired when its process was replaced already is closed, and the later one's kept", async () => {
  const late = new FakeControl();
  const { channels, events, keep } = channelsOver(late, pairedDoorbell());
  const keeping = keep();
  assert.equal(channels.mayBegin(restarted(5)), true);
  const next = await keep(restarted(5));
  late.incoming.push((await pairedDoorbell().read())!);
  const passing = await keeping;
  assert.deepEqual([passing.calls.close, late.calls.close], [1, 1]);
  assert.equal((await keep()).calls.close, 1, "also when it comes as late as that");
  assert.deepEqual([next.calls.close, channels.find(restarted(5))?.canTake], [0, true]);
  assert.deepEqual(kinds(events), ["handoff-channel"]);
  channels.close();
});

test("the broker's stop closes every channel, and keeps none that is paired late", async () => {
  const late = new FakeControl();
  const { channels, stop, endings, keep } = channelsOver(pairedDoorbell(), late);
  const passing = await keep();
  channels.find(BACKEND)!.offer(warmRequest(1));
  const other = registeredBackend({ key: { ...BACKEND.key, service: "other" } });
  const keeping = keep(other);
  stop.abort(new Error("stop"));
  assert.deepEqual([passing.calls.close, endings], [1, ["lost"]]);
  const [pairing, behind] = [await keeping, await keep(other)];
  assert.deepEqual([pairing.calls.close, late.calls.close, behind.calls.close], [1, 1, 1]);
  assert.equal(channels.find(other), undefined);
});
