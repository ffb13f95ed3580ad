import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { BrokerError } from "../../../src/errors.ts";
import type { LocalListener, LocalStream } from "../../../src/transport/local_stream.ts";
import { connectSocket } from "../../../src/transport/connect_net.ts";
import type { DetachedConnection, IncomingConnection } from "../../../src/transport/transport.ts";
import { UnixDetachedConnection } from "../../../src/transport/unix/detached_connection.ts";
import { PausedEnd } from "../../../src/transport/unix/detached_end.ts";
import { UnixIncomingConnection } from "../../../src/transport/unix/incoming_connection.ts";
import { UnixPassedConnection } from "../../../src/transport/unix/passed_connection.ts";
import { concatBytes } from "../../../src/wire/bytes.ts";
import { createFirstFrameReader } from "../../../src/wire/first_frame_reader.ts";
import { fdCountAtMost, settledFdCount } from "../../support/fd_count.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { type Deferred, deferred, turns, WAIT, within } from "../../support/waiting.ts";
import { native, pattern, readAll, readBytes, socketPair, transport } from "../_transport.ts";

const BODY = pattern(20, 3);
const FRAME = concatBytes(Uint8Array.of(1, BODY.length, 0, 0, 0), BODY);
const isLinux = process.platform === "linux";

/** A listener that hands out what connects, one after the other. */
interface Listening extends AsyncDisposable {
  open(): Promise<{ client: LocalStream; incoming: IncomingConnection }>;
}

async function startListening(): Promise<Listening> {
  const dir = await makeTempDir();
  let arrival: Deferred<IncomingConnection> = deferred();
  const listener: LocalListener = await transport.listenPassable(dir.join("s.sock"), {}, (incoming) => {
    arrival.resolve(incoming);
  });
  return {
    async open() {
      arrival = deferred();
      const client = await transport.connect(listener.endpoint, WAIT);
      return { client, incoming: await within("the connection", arrival.promise) };
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Passes a connection as a broker does, gives up our copy, and reads what the receiver finds. */
function passOn(connection: DetachedConnection): LocalStream {
  assert.ok(connection instanceof UnixDetachedConnection);
  const [near, far] = socketPair();
  assert.deepEqual(native.fdPassing.sendFd(near, Uint8Array.of(1), connection.fd), { ok: true });
  connection.close();
  const received = native.fdPassing.receive(far, 1, { fdsMax: 1 });
  assert.ok(received.kind === "data" && received.fds.length === 1);
  for (const fd of [near, far]) native.sockets.closeFd(fd);
  return new UnixPassedConnection(native, native.ownFd(received.fds[0]!)).adopt();
}

type Timing = "before the first read" | "while it waits" | "after it detached";

/** Sends the bytes in two parts and gives what came behind the frame, however it was read. */
async function behindFrame(listening: Listening, bytes: Uint8Array, cut: number, timing: Timing) {
  const { client, incoming } = await listening.open();
  const rest = bytes.subarray(cut);
  if (cut > 0) await client.write(bytes.subarray(0, cut));
  if (timing === "before the first read") await client.write(rest);
  const arriving = incoming.firstFrame(createFirstFrameReader(), WAIT);
  if (timing === "while it waits") {
    await turns(1);
    await client.write(rest);
  }
  const { first, connection } = await arriving;
  if (timing === "after it detached") await client.write(rest);
  assert.ok(first.kind === "frame", first.kind);
  assert.deepEqual(first.body, BODY);
  await client.closeWrite();
  const passed = passOn(connection);
  const later = await readAll(passed);
  await passed.write(pattern(9));
  assert.deepEqual(await readBytes(client, 9), pattern(9));
  passed.close();
  client.close();
  await Promise.all([passed.closed, client.closed]);
  return concatBytes(first.residue, later);
}

test("no byte behind the first frame is swallowed, wherever the stream is cut and whenever its rest comes", async () => {
  await using listening = await startListening();
  await behindFrame(listening, FRAME, 0, "before the first read");
  const before = isLinux ? await settledFdCount() : 0;
  const trailing = pattern(12, 50);
  const bytes = concatBytes(FRAME, trailing);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const timings: Timing[] = ["before the first read", "while it waits"];
    if (cut >= FRAME.length) timings.push("after it detached");
    for (const timing of timings) {
      const seen = await behindFrame(listening, bytes, cut, timing);
      assert.deepEqual(seen, trailing, `cut at ${cut}, rest sent ${timing}`);
    }
  }
  if (isLinux) assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});

for (const timing of ["before the first read", "while it waits"] as const) {
  test(`no byte of a flood behind the first frame is swallowed, sent ${timing}`, async () => {
    await using listening = await startListening();
    const { client, incoming } = await listening.open();
    const flood = pattern(700_000);
    const sending = (async () => {
      if (timing === "while it waits") await turns(2);
      await client.write(concatBytes(FRAME, flood));
      await client.closeWrite();
    })();
    if (timing === "before the first read") await turns(2);
    const { first, connection } = await incoming.firstFrame(createFirstFrameReader(), WAIT);
    assert.ok(first.kind === "frame");
    const passed = passOn(connection);
    assert.deepEqual(concatBytes(first.residue, await readAll(passed)), flood);
    await sending;
    passed.close();
    client.close();
  });
}

test("the peer is known before a byte is read", async () => {
  await using listening = await startListening();
  const { client, incoming } = await listening.open();
  assert.equal(incoming.peer?.uid, process.geteuid?.());
  if (isLinux) assert.equal(incoming.peer?.pid, process.pid);
  incoming.close();
  client.close();
});

test("a client that leaves in the middle of its frame is an end, with the part that is missing", async () => {
  await using listening = await startListening();
  for (const sent of [0, 1, 4, 5, 12]) {
    for (const isEarly of [true, false]) {
      const { client, incoming } = await listening.open();
      const leave = async () => {
        if (sent > 0) await client.write(FRAME.subarray(0, sent));
        await client.closeWrite();
      };
      if (isEarly) await leave();
      const arriving = incoming.firstFrame(createFirstFrameReader(), WAIT);
      if (!isEarly) await leave();
      const { first, connection } = await arriving;
      assert.ok(first.kind === "eof", first.kind);
      assert.equal(first.error.kind, "UnexpectedEof");
      assert.match(first.error.message, sent === 0 ? /framing byte/ : sent < 5 ? /length/ : /body/);
      // It still reads: a refusal reaches it.
      assert.deepEqual(connection.sendNow(pattern(6)), { ok: true });
      connection.close();
      assert.deepEqual(await readAll(client), pattern(6));
      client.close();
    }
  }
});

test("bytes that are no frame are reported at once, with the connection", async () => {
  await using listening = await startListening();
  const { client, incoming } = await listening.open();
  await client.write(Uint8Array.of(2));
  const { first, connection } = await incoming.firstFrame(createFirstFrameReader(), WAIT);
  assert.ok(first.kind === "error");
  assert.equal(first.error.kind, "UnsupportedFramingVersion");
  connection.close();
  client.close();
});

test("a client that says nothing is dropped at the deadline or when the broker stops", async () => {
  await using listening = await startListening();
  const late = await listening.open();
  const reading = late.incoming.firstFrame(createFirstFrameReader(), { deadlineMs: 20 });
  await assert.rejects(reading, (error) => BrokerError.is(error) && error.code === "deadline");
  assert.equal(await within("the end", late.client.read()), null);
  late.client.close();

  const stopped = await listening.open();
  const controller = new AbortController();
  const wait = { ...WAIT, signal: controller.signal };
  const waiting = stopped.incoming.firstFrame(createFirstFrameReader(), wait);
  await turns();
  controller.abort(new Error("the broker stops"));
  await assert.rejects(waiting, /the broker stops/);
  assert.equal(await within("the end", stopped.client.read()), null);
  stopped.client.close();
});

test("a client that resets its connection rejects the wait and leaves no descriptor", {
  skip: !isLinux && "reads /proc",
}, async () => {
  await using listening = await startListening();
  await behindFrame(listening, FRAME, 0, "before the first read");
  const before = await settledFdCount();
  for (let round = 0; round < 10; round++) {
    const { client, incoming } = await listening.open();
    const waiting = incoming.firstFrame(createFirstFrameReader(), WAIT);
    const outcome = waiting.then(({ connection }) => connection.close(), () => {});
    if (round % 2 === 0) await turns(1);
    client.close();
    await within("the outcome", outcome);
  }
  assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});

test("a connection that was detached lives on when the listener and the runtime's socket are gone", async () => {
  const listening = await startListening();
  const { client, incoming } = await listening.open();
  await client.write(FRAME);
  const { connection } = await incoming.firstFrame(createFirstFrameReader(), WAIT);
  await listening[Symbol.asyncDispose]();
  incoming.close();
  await turns();
  assert.deepEqual(connection.sendNow(pattern(3)), { ok: true });
  assert.deepEqual(await readBytes(client, 3), pattern(3));
  connection.close();
  assert.equal(await within("the end", client.read()), null);
  client.close();
});

test("close() drops the client, and may be repeated", async () => {
  await using listening = await startListening();
  const { client, incoming } = await listening.open();
  incoming.close();
  incoming.close();
  assert.equal(await within("the end", client.read()), null);
  client.close();
});

test("a connection whose descriptor cannot be copied is closed and reported", async () => {
  await using dir = await makeTempDir();
  const accepted = deferred<LocalStream>();
  const listener = await transport.listen(dir.join("t.sock"), {}, accepted.resolve);
  const socket = await connectSocket(listener.endpoint, WAIT);
  const failing = {
    ...native,
    sockets: { ...native.sockets, duplicateFd: () => ({ ok: false, errno: 24, name: "EMFILE" } as const) },
  };
  const broken = new UnixIncomingConnection(failing, new PausedEnd(socket.pause()));
  const peer = await accepted.promise;
  const reading = within("the outcome", broken.firstFrame(createFirstFrameReader(), WAIT));
  await peer.write(FRAME);
  await assert.rejects(reading, /\[os\] Cannot detach a connection: dup returned EMFILE/);
  assert.equal(await within("the end", peer.read()), null);
  peer.close();
  await listener.close();
});
