import assert from "node:assert/strict";
import test from "node:test";
import { collectLatencySamples, compareHandoffLatency, summarizeLatencySamples } from "../../mod.ts";
import { type LocalBroker, requireEcho, startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";

const WARMUP = 5;
const ITERATIONS = 25;

/** Milliseconds from nothing to the first answered bytes, each time by the given route. */
function measure(broker: LocalBroker, adopt: "auto" | false, route: string): Promise<number[]> {
  return collectLatencySamples(WARMUP, ITERATIONS, async () => {
    const startMs = performance.now();
    await using session = await broker.connect({ adoptHandedOffConnection: adopt });
    await requireEcho(session.stream, "ping");
    assert.equal(session.route, route);
    return performance.now() - startMs;
  });
}

test("handoffs and reconnects through a serving broker are measured side by side; which is faster is not judged", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend, { helloRate: 0 });
  const handoff = await measure(broker, "auto", "handle-passed");
  const fallback = await measure(broker, false, "broker-negotiated");
  for (const samples of [handoff, fallback]) {
    const summary = summarizeLatencySamples(samples);
    assert.ok(summary !== undefined && summary.samples === ITERATIONS);
    assert.ok(summary.p50 > 0 && summary.p99 >= summary.p50 && Number.isFinite(summary.p99));
    console.log(`p50 ${summary.p50.toFixed(3)} ms, p99 ${summary.p99.toFixed(3)} ms`);
  }
  const verdict = compareHandoffLatency(handoff, fallback);
  assert.ok(verdict.ok || ["P50NotFaster", "P99NotFaster"].includes(verdict.error.kind));
});
