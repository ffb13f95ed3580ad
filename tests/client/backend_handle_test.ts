import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, realpathSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { BackendHandle, CacheManifestBuilder, CacheRootKind } from "../../mod.ts";
import { readIdentityFile, writeIdentityFile } from "../../src/host/identity_file.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import { requireEcho, startLocalBackend } from "../faults/local_pair.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const place = (path: string) => ({ namespaceId: "shared", path });

/** A process that ends when it is told to, or when its parent does. */
async function startSleeper(): Promise<ChildProcess> {
  const child = spawn("/bin/cat", { stdio: ["pipe", "pipe", "ignore"] });
  await once(child, "spawn");
  return child;
}

test("BackendHandle.probe() of a live backend gives a handle that is alive and connects", async () => {
  await using served = await startLocalBackend();
  const identity = await served.backend.identity;
  const handle = await BackendHandle.probe(place(served.endpoint), identity, {
    service: "svc",
    version: "1.0.0",
  });
  assert.equal(handle.isAlive(), true);
  assert.equal(handle.daemonProcess.pid, process.pid);
  assert.deepEqual([handle.service, handle.version], ["svc", "1.0.0"]);
  const stream = await handle.connect();
  await requireEcho(stream, "through the handle");
  stream.close();
});

test("BackendHandle.probe() takes an identity that was read from its file", async () => {
  await using served = await startLocalBackend();
  const file = served.dir.join("identity.json");
  await writeIdentityFile(file, await served.backend.identity);
  const announced = await readIdentityFile(file);
  assert.ok(announced !== undefined);
  const handle = await BackendHandle.probe(place(served.endpoint), announced);
  assert.equal(handle.daemonProcess.pid, process.pid);
});

test("BackendHandle.probe() gives a listener up that stays silent, within the probe's budget", async () => {
  await using served = await startLocalBackend();
  const path = served.dir.join("silent.sock");
  const transport = await loadTransport();
  await using _silent = await transport.listen(path, {}, () => {});
  const identity = await served.backend.identity;
  const expected = { ...identity, ipcEndpoint: { ...identity.ipcEndpoint!, path } };
  await assert.rejects(BackendHandle.probe(place(path), expected, { deadlineMs: 100 }), { kind: "Timeout" });
});

test("BackendHandle.probe() refuses a responder that says it is somebody else", async () => {
  await using served = await startLocalBackend();
  const identity = await served.backend.identity;
  const aliased = served.dir.join("alias.sock");
  await using _listener = await (await loadTransport()).listen(aliased, {}, (stream) => void pipeTo(stream));
  const pipeTo = async (stream: Awaited<ReturnType<BackendHandle["connect"]>>) => {
    const behind = await (await loadTransport()).connect(served.endpoint, { deadlineMs: 5_000 });
    const ask = await stream.read();
    if (ask !== null) await behind.write(ask);
    const answer = await behind.read();
    if (answer !== null) await stream.write(answer);
    behind.close();
    stream.close();
  };
  const expected = { ...identity, ipcEndpoint: { ...identity.ipcEndpoint!, path: aliased } };
  await assert.rejects(BackendHandle.probe(place(aliased), expected, { deadlineMs: 5_000 }), {
    kind: "IdentityMismatch",
  });
});

test("BackendHandle.probe() refuses another endpoint than the identity's", async () => {
  await using served = await startLocalBackend();
  const identity = await served.backend.identity;
  await assert.rejects(BackendHandle.probe(place(served.handoffEndpoint), identity), {
    kind: "EndpointMismatch",
  });
});

test("BackendHandle.probe() refuses a copy of the executable at another path, though its bytes are equal", async () => {
  await using served = await startLocalBackend();
  const identity = await served.backend.identity;
  const copy = served.dir.join("copy");
  copyFileSync(realpathSync(process.execPath), copy);
  await assert.rejects(BackendHandle.probe(place(served.endpoint), { ...identity, exePath: copy }), {
    kind: "ExePathMismatch",
  });
});

test("BackendHandle.probe() refuses a process with another executable than the announced one", async () => {
  await using served = await startLocalBackend();
  const identity = await served.backend.identity;
  const other = { ...identity, exeSha256: new Uint8Array(32).fill(7), exeHash: new Uint8Array(0) };
  await assert.rejects(BackendHandle.probe(place(served.endpoint), other), { kind: "ExeSha256Mismatch" });
});

test("BackendHandle.probe() refuses an identity of a former boot", async () => {
  await using served = await startLocalBackend();
  const identity = { ...(await served.backend.identity), bootId: "another boot" };
  await assert.rejects(BackendHandle.probe(place(served.endpoint), identity), { kind: "BootIdMismatch" });
});

test("BackendHandle.probe() of a process that has ended gives no handle", async () => {
  await using served = await startLocalBackend();
  const child = await startSleeper();
  const pid = child.pid!;
  child.stdin?.end();
  await once(child, "exit");
  const identity = { ...(await served.backend.identity), pid };
  await assert.rejects(BackendHandle.probe(place(served.endpoint), identity), { kind: "NotFound" });
});

test("BackendHandle.probeManifest() probes the daemon a manifest names, and finds none where none is named", async () => {
  await using served = await startLocalBackend();
  await using cache = await makeTempDir();
  const manifest = await new CacheManifestBuilder("svc", "1.2.3").root(CacheRootKind.CACHE_DATA, cache.path)
    .build();
  assert.equal(await BackendHandle.probeManifest(manifest), undefined);
  const currentDaemon = await served.backend.identity;
  const handle = await BackendHandle.probeManifest({ ...manifest, currentDaemon });
  assert.deepEqual([handle?.service, handle?.version], ["svc", "1.2.3"]);
});
