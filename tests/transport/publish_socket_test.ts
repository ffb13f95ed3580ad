import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import type { LocalListener, LocalStream } from "../../src/transport/local_stream.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { deferred, WAIT, within } from "../support/waiting.ts";
import { pattern, readAll, transport } from "./_transport.ts";

function isRefusal(...words: string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(BrokerError.is(error), String(error));
    assert.equal(error.code, "config");
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" without "${word}"`);
    return true;
  };
}

/** Listens, and says one byte to each connection: its own number. */
async function listen(endpoint: string, number: number): Promise<LocalListener> {
  return await transport.listen(endpoint, {}, (stream) => {
    void stream.write(Uint8Array.of(number)).then(() => stream.close(), () => stream.close());
  });
}

/** The number of whoever serves an endpoint. */
async function whoServes(endpoint: string): Promise<number> {
  const stream = await transport.connect(endpoint, WAIT);
  const [number] = await readAll(stream);
  stream.close();
  return number ?? -1;
}

test("a listener has its name alone in the directory, of mode 0600, and removes it at its end", async () => {
  await using dir = await makeTempDir();
  const listener = await listen(dir.join("s.sock"), 1);
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
  assert.equal(lstatSync(dir.join("s.sock")).mode & 0o777, 0o600);
  assert.ok(lstatSync(dir.join("s.sock")).isSocket());
  assert.equal(listener.endpoint, dir.join("s.sock"));
  assert.equal(await whoServes(listener.endpoint), 1);
  await Promise.all([listener.close(), listener.close()]);
  await listener.close();
  assert.deepEqual(readdirSync(dir.path), []);
  await assert.rejects(transport.connect(dir.join("s.sock"), WAIT), /ENOENT/);
});

test("disposing a listener closes it", async () => {
  await using dir = await makeTempDir();
  {
    await using listener = await listen(dir.join("s.sock"), 1);
    assert.ok(existsSync(listener.endpoint));
  }
  assert.deepEqual(readdirSync(dir.path), []);
});

test("closing leaves the connections that were accepted alone", async () => {
  await using dir = await makeTempDir();
  const accepted = deferred<LocalStream>();
  const listener = await transport.listen(dir.join("s.sock"), {}, accepted.resolve);
  const client = await transport.connect(listener.endpoint, WAIT);
  const served = await accepted.promise;
  await listener.close();
  await served.write(pattern(100));
  await served.closeWrite();
  assert.deepEqual(await readAll(client), pattern(100));
  client.close();
  served.close();
});

test("a name that is served is not replaced, and stays served", async () => {
  await using dir = await makeTempDir();
  await using first = await listen(dir.join("s.sock"), 1);
  await assert.rejects(listen(first.endpoint, 2), isRefusal("a process serves it", first.endpoint));
  assert.equal(await whoServes(first.endpoint), 1);
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
});

test("debris of a process that died is replaced", async () => {
  await using dir = await makeTempDir();
  await makeDebris(dir.join("s.sock"));
  await using listener = await listen(dir.join("s.sock"), 2);
  assert.equal(await whoServes(listener.endpoint), 2);
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
});

test("a file that is no socket is not replaced", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("s.sock"), "precious");
  await assert.rejects(listen(dir.join("s.sock"), 1), isRefusal("no socket has this name; remove it"));
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
  assert.ok(lstatSync(dir.join("s.sock")).isFile());
});

test("a listener whose name was taken over leaves it to its successor", async () => {
  await using dir = await makeTempDir();
  const first = await listen(dir.join("s.sock"), 1);
  rmSync(dir.join("s.sock"));
  await using second = await listen(dir.join("s.sock"), 2);
  await first.close();
  assert.equal(await whoServes(second.endpoint), 2);
});

test("a listener whose name was renamed over by another socket leaves that alone", async () => {
  await using dir = await makeTempDir();
  const first = await listen(dir.join("s.sock"), 1);
  await using other = await listen(dir.join("other.sock"), 2);
  renameSync(other.endpoint, first.endpoint);
  await first.close();
  assert.equal(await whoServes(first.endpoint), 2);
});

test("a listener whose name or directory is gone closes without complaint", async () => {
  await using dir = await makeTempDir();
  const first = await listen(dir.join("a", "s.sock"), 1);
  rmSync(first.endpoint);
  await first.close();
  const second = await listen(dir.join("b", "s.sock"), 1);
  rmSync(dir.join("b"), { recursive: true });
  await second.close();
  const third = await listen(dir.join("c", "s.sock"), 1);
  rmSync(dir.join("c"), { recursive: true });
  writeFileSync(dir.join("c"), "");
  await third.close();
});

test("whoever holds the name is sent the polite request before it is decided", async () => {
  await using dir = await makeTempDir();
  const seen = deferred<Uint8Array>();
  await using holder = await transport.listen(dir.join("s.sock"), {}, (stream) => {
    void readAll(stream).then(seen.resolve, seen.reject);
    void stream.write(Uint8Array.of(1));
  });
  const politeRequest = pattern(40);
  await assert.rejects(
    transport.listen(holder.endpoint, { politeRequest }, () => {}),
    isRefusal("a process serves it"),
  );
  assert.deepEqual(await within("the request", seen.promise), politeRequest);
});

test("a path that is too long, and one whose private name would be, are refused before anything is made", async () => {
  await using dir = await makeTempDir();
  for (const length of [108, 400]) {
    const path = dir.join("folder", "s".padEnd(length - dir.path.length - 8, "x"));
    assert.equal(path.length, length);
    await assert.rejects(listen(path, 1), isRefusal("choose a shorter directory"));
  }
  // The private name is longer than this public one, which would fit.
  const folder = dir.join("f".padEnd(107 - dir.path.length - 3, "x"));
  await assert.rejects(listen(`${folder}/s`, 1), isRefusal("choose a shorter directory"));
  assert.deepEqual(readdirSync(dir.path).filter((name) => name === "folder"), []);
});

test("a directory that others may enter is refused", async () => {
  await using dir = await makeTempDir();
  chmodSync(dir.path, 0o755);
  await assert.rejects(listen(dir.join("s.sock"), 1), isRefusal("its mode is 0755"));
  assert.deepEqual(readdirSync(dir.path), []);
});

test("a connection whose handler throws is dropped, and the listener goes on", async () => {
  await using dir = await makeTempDir();
  let count = 0;
  await using listener = await transport.listen(dir.join("s.sock"), {}, (stream) => {
    if (++count === 1) throw new Error("not this one");
    void stream.write(Uint8Array.of(count)).then(() => stream.close());
  });
  const dropped = await transport.connect(listener.endpoint, WAIT);
  assert.equal((await within("the end", readAll(dropped))).length, 0);
  dropped.close();
  assert.equal(await whoServes(listener.endpoint), 2);
});

/** A socket's file whose process is gone. */
async function makeDebris(path: string): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve));
  renameSync(`${path}.bound`, path);
  await new Promise((resolve) => server.close(resolve));
  assert.ok(lstatSync(path).isSocket());
}
