import assert from "node:assert/strict";
import { loadNative, type Native } from "../../ffi/native.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { NetStream } from "../../src/transport/net_stream.ts";
import { adoptSocketFd } from "../../src/transport/socket_fd.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { LateStream } from "../../src/transport/unix/late_stream.ts";
import { unixTransport } from "../../src/transport/unix/unix_transport.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { deferred, WAIT } from "../support/waiting.ts";

const loaded = await loadNative();
assert.ok(loaded.ok, loaded.ok ? "" : `These tests need native calls: ${loaded.reason}`);
/** The native calls of this process. */
export const native: Native = loaded.native;
/** The transport over them. */
export const transport: Transport = unixTransport(loaded);

/** Two ends of one connection; disposing it closes both. */
export interface StreamPair extends AsyncDisposable {
  /** The end under test. */
  readonly subject: LocalStream;
  readonly peer: LocalStream;
}

/** Each way a stream comes into being, in this runtime. */
export const STREAM_KINDS: Readonly<Record<string, () => Promise<StreamPair>>> = {
  "connected": async () => await connectedPair((endpoint) => transport.connect(endpoint, WAIT)),
  "dialled": async () =>
    await connectedPair((endpoint) => {
      const dialled = native.dial(endpoint);
      assert.ok(dialled.ok, "connected");
      return Promise.resolve(new LateStream(native, native.ownFd(dialled.fd)));
    }),
  "connected with its peer known": async () =>
    await connectedPair(async (endpoint) => (await transport.connectWithPeer(endpoint, WAIT)).stream),
  "accepted": async () => {
    const { subject, peer, [Symbol.asyncDispose]: dispose } = await connectedPair((endpoint) =>
      transport.connect(endpoint, WAIT)
    );
    return { subject: peer, peer: subject, [Symbol.asyncDispose]: dispose };
  },
  "adopted": () => Promise.resolve(pairOf(...adoptedPair())),
};

async function connectedPair(connect: (endpoint: string) => Promise<LocalStream>): Promise<StreamPair> {
  const dir = await makeTempDir();
  const accepted = deferred<LocalStream>();
  const listener = await transport.listen(dir.join("s.sock"), {}, accepted.resolve);
  const subject = await connect(listener.endpoint);
  const peer = await accepted.promise;
  await listener.close();
  await dir[Symbol.asyncDispose]();
  return pairOf(subject, peer);
}

/** Two connected streams over adopted descriptors. */
export function adoptedPair(): [LocalStream, LocalStream] {
  const [near, far] = socketPair();
  return [new NetStream(adoptSocketFd(near)), new NetStream(adoptSocketFd(far))];
}

/** Two connected descriptors, the caller's to close. */
export function socketPair(): readonly [number, number] {
  const pair = native.socketPair();
  assert.ok(pair.ok, "socketpair");
  return pair.fds;
}

function pairOf(subject: LocalStream, peer: LocalStream): StreamPair {
  return {
    subject,
    peer,
    async [Symbol.asyncDispose]() {
      subject.close();
      peer.close();
      await Promise.all([subject.closed, peer.closed]);
    },
  };
}

/** Bytes that tell their own place. */
export function pattern(length: number, start = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = ((start + i) * 31 + ((start + i) >> 8)) & 0xff;
  return bytes;
}

/** Reads exactly so many bytes; what comes behind them is given back. */
export async function readBytes(stream: LocalStream, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const chunk = await stream.read(AbortSignal.timeout(WAIT.deadlineMs));
    assert.ok(chunk !== null, `the stream ended after ${filled} of ${length} bytes`);
    const taken = chunk.subarray(0, length - filled);
    bytes.set(taken, filled);
    filled += taken.length;
    if (taken.length < chunk.length) stream.unread(chunk.subarray(taken.length));
  }
  return bytes;
}

/** Reads to the end of a stream. */
export async function readAll(stream: LocalStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read(AbortSignal.timeout(WAIT.deadlineMs));
    if (chunk === null) break;
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}
