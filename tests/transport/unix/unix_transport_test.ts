import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { BrokerError } from "../../../src/errors.ts";
import { loadTransport } from "../../../src/transport/load_transport.ts";
import type { LocalStream } from "../../../src/transport/local_stream.ts";
import { unixTransport } from "../../../src/transport/unix/unix_transport.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { deferred, settled, until, WAIT, within } from "../../support/waiting.ts";
import { native, pattern, readBytes, transport } from "../_transport.ts";

const bare = unixTransport({ ok: false, reason: "install koffi" });

test("the transport acts for the effective user and says whether native calls are there", () => {
  assert.equal(transport.ownUser, process.geteuid?.());
  assert.equal(transport.nativeMissing, undefined);
  assert.equal(bare.nativeMissing, "install koffi");
});

test("loadTransport() finds the native calls of this runtime", async () => {
  assert.equal((await loadTransport()).nativeMissing, undefined);
});

test("without native calls streams work, and nothing else does", async () => {
  await using dir = await makeTempDir();
  const accepted: LocalStream[] = [];
  await using listener = await bare.listen(dir.join("s.sock"), {}, (stream) => accepted.push(stream));
  const client = await bare.connect(listener.endpoint, WAIT);
  await until("the connection", () => accepted.length === 1);
  const served = accepted[0]!;
  await client.write(pattern(10));
  assert.deepEqual(await readBytes(served, 10), pattern(10));
  client.close();
  served.close();
  const isUnsupported = (error: unknown) => {
    assert.ok(BrokerError.is(error));
    assert.equal(error.code, "unsupported");
    assert.match(error.message, /install koffi/);
    return true;
  };
  await assert.rejects(bare.connectWithPeer(listener.endpoint, WAIT), isUnsupported);
  await assert.rejects(bare.dialControl(listener.endpoint, WAIT), isUnsupported);
  assert.equal(await settled(() => accepted.length), 1, "what is refused does not connect before");
});

test("without native calls a passable connection is dropped, unseen and without harm to the others", async () => {
  await using dir = await makeTempDir();
  let seen = 0;
  await using listener = await bare.listenPassable(dir.join("s.sock"), {}, () => seen++);
  for (let i = 0; i < 2; i++) {
    const client = await bare.connect(listener.endpoint, WAIT);
    assert.equal(await within("the end", client.read()), null);
    client.close();
  }
  assert.equal(seen, 0);
});

test("connectWithPeer() tells who serves an endpoint by the kernel's word", async () => {
  await using dir = await makeTempDir();
  await using listener = await transport.listen(dir.join("s.sock"), {}, (stream) => stream.close());
  const { stream, peer } = await transport.connectWithPeer(listener.endpoint, WAIT);
  assert.equal(peer.uid, process.geteuid?.());
  if (process.platform === "linux") assert.equal(peer.pid, process.pid);
  stream.close();
});

test("connectWithPeer() gives no stream whose server is unknown", async () => {
  await using dir = await makeTempDir();
  const accepted = deferred<LocalStream>();
  await using listener = await transport.listen(dir.join("s.sock"), {}, accepted.resolve);
  const peerCredentials = () => ({ ok: false, errno: 92, name: "ENOPROTOOPT" } as const);
  const blind = unixTransport({ ok: true, native: { ...native, peerCredentials } });
  const connecting = blind.connectWithPeer(listener.endpoint, WAIT);
  await assert.rejects(connecting, /\[os\] Cannot tell who serves .*: the kernel gave no peer credentials/);
  const served = await accepted.promise;
  assert.equal(await within("the end", served.read()), null);
  served.close();
});

test("connect() refuses a path the kernel would cut off", async () => {
  const isConfigError = (error: unknown) => BrokerError.is(error) && error.code === "config";
  await assert.rejects(transport.connect(`/tmp/${"x".repeat(200)}`, WAIT), isConfigError);
  await assert.rejects(transport.connect("", WAIT), isConfigError);
});
