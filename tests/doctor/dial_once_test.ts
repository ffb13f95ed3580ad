import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dialOnce } from "../../src/doctor/dial_once.ts";
import { encodeProbeHello } from "../../src/doctor/probe_hello.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { encodeFramedBody } from "../../src/wire/framing.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { leaveStaleSocket } from "../faults/stale_socket.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { WAIT } from "../support/waiting.ts";

const REQUEST = encodeProbeHello(1);

/** Dials a listener that does something with what it accepts. */
async function dialServed(
  serve: (stream: LocalStream) => Promise<void>,
  deadlineMs: number = WAIT.deadlineMs,
) {
  await using dir = await makeTempDir();
  const transport = await loadTransport();
  const endpoint = dir.join("l.sock");
  const served: Promise<void>[] = [];
  await using _listener = await transport.listen(endpoint, {}, (stream) => {
    served.push(serve(stream).finally(() => stream.close()));
  });
  const outcome = await dialOnce(endpoint, REQUEST, deadlineMs);
  await Promise.all(served);
  return outcome;
}

describe("dialOnce()", () => {
  test("sends the whole request and gives the frame that comes back", async () => {
    const seen: Uint8Array[] = [];
    const outcome = await dialServed(async (stream) => {
      seen.push(await readFrame(stream));
      await stream.write(encodeFramedBody(Uint8Array.of(7, 8, 9)));
      await stream.read();
    });
    assert.deepEqual(outcome, { kind: "answered", body: Uint8Array.of(7, 8, 9) });
    assert.deepEqual(encodeFramedBody(seen[0]!), REQUEST);
  });

  test("hangs up in time on a listener that says nothing", async () => {
    const outcome = await dialServed(async (stream) => {
      while (await stream.read() !== null);
    }, 50);
    assert.equal(outcome.kind, "silent");
    assert.match((outcome as { detail: string }).detail, /within 50 ms/);
  });

  test("takes a listener that hangs up, or sends what is no frame, for one that does not answer", async () => {
    const rude = await dialServed(() => Promise.resolve());
    assert.equal(rude.kind, "silent");
    const garbled = await dialServed(async (stream) => {
      await readFrame(stream);
      await stream.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    assert.equal(garbled.kind, "silent");
  });

  test("tells a socket that nobody serves from a name that nothing has", async () => {
    await using dir = await makeTempDir();
    await leaveStaleSocket(dir.join("stale.sock"));
    const stale = await dialOnce(dir.join("stale.sock"), REQUEST, WAIT.deadlineMs);
    assert.deepEqual(stale, { kind: "unreachable", isRefused: true, detail: "ECONNREFUSED" });
    const missing = await dialOnce(dir.join("missing.sock"), REQUEST, WAIT.deadlineMs);
    assert.deepEqual(missing, { kind: "unreachable", isRefused: false, detail: "ENOENT" });
  });

  test("rejects nothing, not even a name that no socket can have", async () => {
    for (const name of ["", `/tmp/${"x".repeat(200)}`]) {
      const outcome = await dialOnce(name, REQUEST, WAIT.deadlineMs);
      assert.equal(outcome.kind, "unreachable");
      assert.equal((outcome as { isRefused: boolean }).isRefused, false);
    }
  });
});
