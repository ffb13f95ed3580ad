import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import process from "node:process";
import { BrokerError, type BrokerErrorCode } from "../../src/errors.ts";
import type { LocalListener, LocalStream } from "../../src/transport/local_stream.ts";
import { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { deferred, until, WAIT, within } from "../support/waiting.ts";
import { pattern, readAll, transport } from "./_transport.ts";

function isRefusal(...words: string[]): (error: unknown) => true {
  return isRefusalOf("config", ...words);
}

function isRefusalOf(code: BrokerErrorCode, ...words: string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(BrokerError.is(error), String(error));
    assert.equal(error.code, code);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" without "${word}"`);
    return true;
  };
}

/** What holds an endpoint, by the kernel, and what to do. */
function isTaken(endpoint: string): (error: unknown) => true {
  const words =
    `Cannot publish "${endpoint}": a process serves it (pid ${process.pid}); stop that process or`;
  return isRefusalOf("endpoint-taken", words);
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
  await assert.rejects(listen(first.endpoint, 2), isTaken(first.endpoint));
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
    isTaken(holder.endpoint),
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

/** Connects to one name after the other until that is gone; says how many connections got their byte, and not. */
const IMPATIENT = `
import os, socket, sys, time
served = lost = 0
for path in sys.argv[1:]:
    while not os.path.exists(path) and not os.path.exists(path + ".ended"): time.sleep(0.0005)
    while True:
        s = socket.socket(socket.AF_UNIX); s.settimeout(20)
        try: s.connect(path)
        except (FileNotFoundError, ConnectionRefusedError): break
        try: got = s.recv(1)
        except OSError: got = b""
        s.close()
        if got == b"\\x07": served += 1
        else: lost += 1
print(served, lost, flush=True)
`;
const ENDINGS = 60;
/** A process that is stopped in the middle of its connect, the name already looked up, may come too late for any care. */
const LOST_MAX = 1;
const IMPATIENT_CLIENTS = 4;

test("nobody who connected before a listener's end is cut off by it", async () => {
  await using dir = await makeTempDir();
  const paths = Array.from({ length: ENDINGS }, (_, i) => dir.join(`${i}.sock`));
  const command = { command: "python3", args: ["-c", IMPATIENT, ...paths] };
  const children = Array.from({ length: IMPATIENT_CLIENTS }, () => startProcess(command));
  try {
    for (const path of paths) {
      let served = 0;
      const listener = await transport.listen(path, {}, (stream) => {
        served++;
        void stream.write(Uint8Array.of(7)).then(() => stream.close(), () => stream.close());
      });
      await until("clients", () => served >= 2 * IMPATIENT_CLIENTS);
      await listener.close();
      writeFileSync(`${path}.ended`, "");
    }
    let [served, lost] = [0, 0];
    for (const child of children) {
      const counts = (await child.waitForLine(() => true, WAIT)).split(" ").map(Number);
      [served, lost] = [served + counts[0]!, lost + counts[1]!];
    }
    assert.ok(served >= ENDINGS, `${served} connections were served`);
    assert.ok(lost <= LOST_MAX, `${lost} of ${served + lost} connections were lost`);
  } finally {
    for (const child of children) await child[Symbol.asyncDispose]();
  }
});

test("a listener says whether connections wait, and can be made to accept anew without losing one", async () => {
  await using dir = await makeTempDir();
  await using listener = await transport.listenPassable(dir.join("s.sock"), {}, (incoming) => {
    void incoming.firstFrame(createFirstFrameReader({ frameBytesMax: 64 }), WAIT)
      .then(({ connection }) => connection.finish(Uint8Array.of(5), WAIT), () => {});
  });
  assert.equal(listener.hasWaiting?.(), false);
  for (let round = 0; round < 3; round++) {
    await listener.acceptAgain?.();
    const client = await transport.connect(listener.endpoint, WAIT);
    await client.write(Uint8Array.of(1, 1, 0, 0, 0, 0));
    assert.deepEqual([...await within("the answer", readAll(client))], [5], `round ${round}`);
    client.close();
  }
  assert.equal(listener.hasWaiting?.(), false);
  await listener.close();
  await listener.acceptAgain?.();
  assert.equal(listener.hasWaiting?.(), false);
  assert.deepEqual(readdirSync(dir.path), []);
});

/** A socket's file whose process is gone. */
async function makeDebris(path: string): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve));
  renameSync(`${path}.bound`, path);
  await new Promise((resolve) => server.close(resolve));
  assert.ok(lstatSync(path).isSocket());
}
