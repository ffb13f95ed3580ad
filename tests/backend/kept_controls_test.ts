import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT_CONTROLS_MAX, KeptControls } from "../../src/backend/kept_controls.ts";
import { FakeControl } from "./_fake_control.ts";

const CHANNEL_ID = new Uint8Array(16).fill(3);

test("a kept connection goes once, by its name, to the process that made it", () => {
  const kept = new KeptControls();
  const control = new FakeControl();
  kept.keep(CHANNEL_ID, control);
  assert.equal(kept.take(new Uint8Array(16), 7), undefined);
  assert.equal(kept.take(CHANNEL_ID, 8), undefined, "another process");
  assert.equal(kept.take(CHANNEL_ID, undefined), undefined, "an unknown one");
  assert.equal(kept.take(CHANNEL_ID, 7), control);
  assert.equal(kept.take(CHANNEL_ID, 7), undefined);
  kept.close();
  assert.equal(control.closed, 0, "it is somebody else's now");
});

test("no more connections than the bound are kept, and the rest end with the backend", () => {
  const kept = new KeptControls();
  const controls = Array.from({ length: KEPT_CONTROLS_MAX + 3 }, () => new FakeControl());
  for (const [at, control] of controls.entries()) kept.keep(Uint8Array.of(at), control);
  assert.deepEqual(
    controls.map(({ closed }) => closed),
    controls.map((_, at) => at < KEPT_CONTROLS_MAX ? 0 : 1),
  );
  assert.equal(kept.take(Uint8Array.of(0), 7), controls[0]);
  kept.close();
  kept.close();
  assert.deepEqual(controls.map(({ closed }) => closed), controls.map((_, at) => at === 0 ? 0 : 1));
});
