import assert from "node:assert/strict";
import { type Layout, layoutFor } from "../../ffi/layout.ts";
import type { Libc } from "../../ffi/libc.ts";

/** One control message, as a kernel writes it; `claims` is its `cmsg_len` when that is not the truth. */
export interface FakeControl {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
  readonly claims?: number;
}

/** The layout of a platform that is known to have one. */
export function knownLayout(platform: "linux" | "darwin"): Layout {
  const layout = layoutFor(platform, "arm64");
  assert.ok(layout);
  return layout;
}

/** Descriptors as control data holds them. */
export function fdData(fds: readonly number[]): Uint8Array {
  const data = new DataView(new ArrayBuffer(4 * fds.length));
  fds.forEach((fd, i) => data.setInt32(4 * i, fd, true));
  return new Uint8Array(data.buffer);
}

/** Control messages, one behind the other and padded, as a kernel of this layout writes them. */
export function controlBytes(layout: Layout, messages: readonly FakeControl[]): Uint8Array {
  const { lengthOffset, levelOffset, typeOffset, dataOffset, alignment } = layout.control;
  const parts = messages.map(({ level, type, data, claims }) => {
    const space = Math.ceil((dataOffset + data.length) / alignment) * alignment;
    const view = new DataView(new ArrayBuffer(space));
    view.setUint32(lengthOffset, claims ?? dataOffset + data.length, true);
    view.setInt32(levelOffset, level, true);
    view.setInt32(typeOffset, type, true);
    new Uint8Array(view.buffer).set(data, dataOffset);
    return [...new Uint8Array(view.buffer)];
  });
  return Uint8Array.from(parts.flat());
}

/** A message in a caller's memory, found through its pointers as a kernel finds it. */
export class FakeMessage {
  readonly #header: DataView;
  readonly #layout: Layout;
  readonly payload: Uint8Array;
  readonly control: Uint8Array;
  readonly vectorCount: number;

  constructor(layout: Layout, memory: Uint8Array, base: bigint) {
    const { message, vector } = layout;
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    const at = (offset: number) => Number(view.getBigUint64(offset, true) - base);
    const slice = (start: number, length: number) => {
      assert.ok(
        start >= 0 && start + length <= memory.length,
        `${start}+${length} is outside of the message`,
      );
      return memory.subarray(start, start + length);
    };
    const vectorStart = at(message.vectorOffset);
    this.#layout = layout;
    this.#header = view;
    this.vectorCount = view.getUint32(message.vectorCountOffset, true);
    this.payload = slice(
      at(vectorStart + vector.baseOffset),
      view.getUint32(vectorStart + vector.lengthOffset, true),
    );
    this.control = slice(at(message.controlOffset), view.getUint32(message.controlLengthOffset, true));
  }

  /** Delivers bytes, control data and flags, cut to the room there is; returns what `recvmsg` returns. */
  deliver(bytes: Uint8Array, control: Uint8Array = new Uint8Array(), flags: number = 0): number {
    const { controlLengthOffset, flagsOffset } = this.#layout.message;
    const received = bytes.subarray(0, this.payload.length);
    const controlLength = Math.min(control.length, this.control.length);
    this.payload.set(received);
    this.control.set(control.subarray(0, controlLength));
    this.#header.setUint32(controlLengthOffset, controlLength, true);
    this.#header.setInt32(flagsOffset, flags, true);
    return received.length;
  }
}

/** A C library that records its calls and answers as a test says; descriptors it closes are remembered. */
export class FakeLibc implements Libc {
  readonly calls: string[] = [];
  readonly closed: number[] = [];
  readonly layout: Layout;
  readonly getpeereid: Libc["getpeereid"];
  readonly fcntl: Libc["fcntl"];
  readonly syscall: Libc["syscall"];
  readonly statx: Libc["statx"];
  readonly socket: Libc["socket"];
  readonly connect: Libc["connect"];
  errnoNow = 0;
  onSendMessage: (message: FakeMessage, flags: number) => number = () => this.fail(0);
  onReceiveMessage: (message: FakeMessage, flags: number) => number = () => this.fail(0);
  answer: (call: string, ...buffers: Uint8Array[]) => number = () => 0;
  readonly #bases = new Map<ArrayBufferLike, bigint>();

  constructor(layout: Layout) {
    this.layout = layout;
    const isMac = layout.platform === "darwin";
    this.getpeereid = isMac ? (fd, uid, gid) => this.#record(`getpeereid ${fd}`, uid, gid) : null;
    this.fcntl = isMac ? null : (fd, command, argument) => this.#record(`fcntl ${fd} ${command} ${argument}`);
    this.syscall = isMac
      ? null
      : (number, first, second) => this.#record(`syscall ${number} ${first} ${second}`);
    this.statx = isMac
      ? null
      : (directory, path, flags, mask, status) =>
        this.#record(`statx ${directory} ${flags} ${mask}`, path, status);
    this.socket = isMac
      ? null
      : (domain, type, protocol) => this.#record(`socket ${domain} ${type} ${protocol}`);
    this.connect = isMac ? null : (fd, address, length) => this.#record(`connect ${fd} ${length}`, address);
  }

  /** Answers -1 with this errno. */
  fail(errno: number): number {
    this.errnoNow = errno;
    return -1;
  }

  #record(call: string, ...buffers: Uint8Array[]): number {
    this.calls.push(call);
    return this.answer(call, ...buffers);
  }

  #message(memory: Uint8Array): FakeMessage {
    return new FakeMessage(this.layout, memory, this.address(memory));
  }

  address(bytes: Uint8Array): bigint {
    const base = this.#bases.get(bytes.buffer) ?? BigInt(this.#bases.size + 1) << 32n;
    this.#bases.set(bytes.buffer, base);
    return base + BigInt(bytes.byteOffset);
  }

  sendmsg(fd: number, message: Uint8Array, flags: number): number {
    this.calls.push(`sendmsg ${fd}`);
    return this.onSendMessage(this.#message(message), flags);
  }

  recvmsg(fd: number, message: Uint8Array, flags: number): number {
    this.calls.push(`recvmsg ${fd}`);
    return this.onReceiveMessage(this.#message(message), flags);
  }

  send(fd: number, bytes: Uint8Array, length: number, flags: number): number {
    return this.#record(`send ${fd} ${length} ${flags}`, bytes);
  }

  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number {
    return this.#record(`recv ${fd} ${length} ${flags}`, bytes);
  }

  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number {
    return this.#record(`getsockopt ${fd} ${level} ${option}`, value, length);
  }

  close(fd: number): number {
    this.closed.push(fd);
    return this.#record(`close ${fd}`);
  }

  dup(fd: number): number {
    return this.#record(`dup ${fd}`);
  }

  dup2(from: number, to: number): number {
    return this.#record(`dup2 ${from} ${to}`);
  }

  ioctl(fd: number, request: number): number {
    return this.#record(`ioctl ${fd} ${request}`);
  }

  flock(fd: number, operation: number): number {
    return this.#record(`flock ${fd} ${operation}`);
  }

  shutdown(fd: number, how: number): number {
    return this.#record(`shutdown ${fd} ${how}`);
  }

  socketpair(domain: number, type: number, protocol: number, fds: Uint8Array): number {
    return this.#record(`socketpair ${domain} ${type} ${protocol}`, fds);
  }

  poll(entries: Uint8Array, count: number): number {
    return this.#record(`poll ${count}`, entries);
  }

  getuid(): number {
    return this.#record("getuid");
  }

  geteuid(): number {
    return this.#record("geteuid");
  }

  errno(): number {
    return this.errnoNow;
  }
}
