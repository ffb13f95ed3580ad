// This module has no I/O.
import type { FirstFrame, FirstFrameReader } from "../wire/first_frame_reader.ts";
import type { FramingError } from "../wire/framing_error.ts";
import type { WaitOptions } from "./wait_options.ts";
import type { LocalListener, LocalStream, PeerCredentials, PublishedListener } from "./local_stream.ts";

/*
 * What the rooms above need from a kernel, in terms that hold for descriptors and for handles.
 * Unix fills it with sockets and SCM_RIGHTS; nothing above may know which.
 */

/** What one non-blocking send did. */
export type SendOutcome = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/**
 * A client's connection on the broker's side, taken away from the runtime: nothing reads it any more.
 *
 * Whoever holds it owns its native end, and ends that with exactly one of `close`, `shutdownAndClose`
 * and `finish`; passing it to a backend sends a copy and leaves ours to close.
 */
export interface DetachedConnection {
  /** Its native end, for people: "fd 14". */
  readonly label: string;
  /** Writes a short frame without waiting; what the kernel does not take whole is a failure. */
  sendNow(bytes: Uint8Array): SendOutcome;
  /** Writes a reply of any length within a deadline, then closes. Never rejects. */
  finish(bytes: Uint8Array, options: WaitOptions): Promise<void>;
  /** Gives our copy up; a copy that was passed lives on. Idempotent. */
  close(): void;
  /** Ends the connection for every holder of a copy, then gives ours up. */
  shutdownAndClose(): void;
}

/** What came first on a connection, and the connection, which is not read any more. */
export interface FirstFrameArrival {
  /** The frame, the fault that makes it unreadable, or the end that came before it. */
  readonly first:
    | Exclude<FirstFrame, { kind: "need-more" }>
    /** The client ended its direction before the frame was complete. */
    | { readonly kind: "eof"; readonly error: FramingError };
  /** The connection, for the reply and for a handoff. */
  readonly connection: DetachedConnection;
}

/** A connection a broker has accepted and not read from yet. */
export interface IncomingConnection {
  /** Who connected, by the kernel; `undefined` when it would not say. */
  readonly peer: PeerCredentials | undefined;
  /** The number of its native end, where the kernel gives the lowest one that is free. */
  readonly number?: number | undefined;
  /**
   * Reads until the reader has its frame, then detaches the connection: no byte behind the ones
   * in the outcome has been read, none will be.
   *
   * @throws {BrokerError} With code "deadline" or the abort reason; the connection is closed then.
   */
  firstFrame(reader: FirstFrameReader, options: WaitOptions): Promise<FirstFrameArrival>;
  /** Drops the connection, unless it was detached. Idempotent. */
  close(): void;
}

/** How far passing a connection got. */
export type PassOutcome =
  | { readonly ok: true }
  | {
    readonly ok: false;
    /** The reference's name of the failure, as `handoff/orchestrate_unix.ts` maps it to a fallback reason. */
    readonly kind: "PermissionDenied" | "BackendSocketUnavailable" | "WouldBlock" | "SendFailed";
    readonly detail: string;
    /** Whether a byte left: then the backend may hold the connection and nobody else may be offered it. */
    readonly reachedBackend: boolean;
  };

/** A connection from the broker to a backend's handoff endpoint. */
export interface ControlConnection extends LocalStream {
  /**
   * Sends the token with a copy of the connection, and the offer directly behind it.
   *
   * @param offer Frame bytes of the offer; the argument is the handle's value in the backend, 0 on Unix.
   * @param doorbell Where the offer goes instead, once a backend has paired it with this connection. What the
   *   kernel does not take of it at once follows; a backend of that kind takes connections in any mode.
   */
  pass(
    connection: DetachedConnection,
    token: Uint8Array,
    offer: (handleValue: bigint) => Uint8Array,
    doorbell?: ControlConnection,
  ): PassOutcome;
  /** Writes a frame without waiting: what the kernel does not take at once follows, in order. */
  sendInOrder(bytes: Uint8Array): SendOutcome;
}

/** A connection that was handed to this backend and is not adopted yet. */
export interface PassedConnection {
  /** Its native end as it was received, for people: "fd 14". */
  readonly label: string;
  /** Whether bytes of the client already wait. */
  state(): "empty" | "readable" | "eof" | "failed";
  /** Whether the client is gone, whatever it left to read. */
  isHungUp(): boolean;
  /** Writes a short frame without waiting; what the kernel does not take whole is a failure. */
  sendNow(bytes: Uint8Array): SendOutcome;
  /** Makes it a stream; the passed end belongs to the stream from now on. */
  adopt(): LocalStream;
  /**
   * Makes it a stream that costs nothing until its client's next bytes have to be waited for: what is written
   * meanwhile goes out directly, and what a client sent that has ended its direction is read so. The passed end
   * belongs to the stream from now on.
   *
   * @param residue What the client has sent already; read first.
   * @param greeting Leaves with the first write, or by itself when none comes soon.
   */
  adoptLater(residue: Uint8Array, greeting?: Uint8Array): LocalStream;
  /** Gives it up unserved. Idempotent. */
  close(): void;
}

/** What one receive on a control connection brought. */
export type ControlReceipt =
  /** Bytes, at most as many as asked for, and the connections that came with them. */
  | {
    readonly kind: "received";
    readonly bytes: Uint8Array;
    readonly connections: readonly PassedConnection[];
  }
  | { readonly kind: "eof" }
  /** What came cannot be taken; connections among it are closed already. */
  | { readonly kind: "violation"; readonly reason: string };

/** A connection from a broker, on the backend's handoff endpoint. Owned by whoever accepted it. */
export interface IncomingControl {
  /** Who connected, by the kernel; `undefined` when it would not say. */
  readonly peer: PeerCredentials | undefined;
  /**
   * Waits for bytes, and takes no more of them than asked for.
   *
   * @throws {BrokerError} With code "deadline", or the abort reason.
   */
  receive(bytesMax: number, options: WaitOptions): Promise<ControlReceipt>;
  /** Takes what is there, like `receive`, without waiting; `undefined` when that is nothing. */
  receiveNow(bytesMax: number): ControlReceipt | undefined;
  /** Turns it into a stream that takes no connections any more; the stream owns it from now on. */
  intoStream(): LocalStream;
  /** Writes a short frame without waiting. */
  sendNow(bytes: Uint8Array): SendOutcome;
  /** Idempotent. */
  close(): void;
}

/** Whether an open file is now locked for its holder alone. */
export type FileLockOutcome =
  | { readonly kind: "locked" }
  /** Another opening of the file has the lock, in this process or in another. */
  | { readonly kind: "held" }
  | { readonly kind: "failed"; readonly detail: string };

/** Asks who connected; `undefined` when the kernel does not say or the connection is gone. */
export type AskPeer = () => PeerCredentials | undefined;

/** What listening needs besides the endpoint. */
export interface ListenOptions {
  /** See {@linkcode PublishOptions.politeRequest}. */
  readonly politeRequest?: Uint8Array | undefined;
  /** See {@linkcode PublishOptions.onAcceptError}. */
  onAcceptError?(code: string): void;
}

/**
 * How many more descriptors can be opened: not one, only about as many as are kept back again, or more. Where the
 * limit is not known or far away, few are not told from enough.
 */
export type DescriptorRoom = "enough" | "short" | "none";

/**
 * Descriptors that a process keeps back, so that it can still answer when there are no others.
 *
 * Whole at first, it is given up at once and taken back as a whole.
 */
export interface DescriptorReserve {
  /** Whether it is held, all of it. */
  readonly isWhole: boolean;
  /**
   * Whether more descriptors can be opened now, by a glance that costs two system calls: it may take few for enough.
   *
   * @param newest Number of one that was opened just now; when it is low it tells as much, without a call.
   */
  glance(newest?: number): DescriptorRoom;
  /** Whether more descriptors can be opened now, by counting those that are open. */
  count(): DescriptorRoom;
  /** Open descriptors in parts of their limit, from 0 to 1; 0 where the limit is not known. */
  usedRatio(): number;
  /** Gives it up for others to use. */
  release(): void;
  /** Takes it back when there is room for all of it and more. @returns Whether it is whole now. */
  refill(): boolean;
  /** Gives it up for good. Idempotent. */
  close(): void;
}

/** A look at one process, never at a later one of its number. */
export interface ProcessWatch {
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** Gives the watch up. Idempotent. */
  close(): void;
}

/** A stream whose receiving can be ended for good while what has arrived stays readable. */
export interface DrainableStream extends LocalStream {
  /** Ends receiving: the peer's later writes fail. @returns Whether the kernel did so. */
  stopReceiving(): boolean;
}

/** One kernel's local sockets. */
export interface Transport {
  /** Whether `connectDrainable` can be had: what was received before its end must stay readable. */
  readonly canDrain: boolean;
  /** The user whose peers are ours: the decimal effective uid on Unix. */
  readonly ownUser: number;
  /** Why connections can be neither passed nor adopted nor their peers checked; `undefined` when they can. */
  readonly nativeMissing: string | undefined;
  /** Connects to an endpoint, by calls of our own or the fastest API the runtime has. */
  connect(endpoint: string, options: WaitOptions): Promise<LocalStream>;
  /** Connects to an endpoint in a way that shows the connection's native end. */
  connectDrainable(endpoint: string, options: WaitOptions): Promise<DrainableStream>;
  /** Connects to an endpoint and says who serves it. */
  connectWithPeer(
    endpoint: string,
    options: WaitOptions,
  ): Promise<{ stream: LocalStream; peer: PeerCredentials }>;
  /** Listens for connections that are served here; who connected is asked of the kernel only when it matters. */
  listen(
    endpoint: string,
    options: ListenOptions,
    onStream: (stream: LocalStream, peer: AskPeer) => void,
  ): Promise<LocalListener>;
  /** Listens for connections that may be passed on. */
  listenPassable(
    endpoint: string,
    options: ListenOptions,
    onConnection: (connection: IncomingConnection) => void,
  ): Promise<LocalListener & Partial<PublishedListener>>;
  /**
   * Keeps descriptors back; `undefined` where they are not what runs out, or without native calls.
   *
   * @throws {BrokerError} With code "os" when there are not so many.
   */
  keepDescriptors?(count: number): DescriptorReserve | undefined;
  /**
   * A copy of a connection that its holder keeps: on Unix of a descriptor.
   *
   * @throws {BrokerError} With code "os" when there is no such connection.
   */
  copyConnection(nativeEnd: number): DetachedConnection;
  /**
   * Locks an open file without waiting, and keeps its descriptor from the programs that this process starts.
   *
   * The lock goes with the descriptor, also when the process is killed.
   *
   * @throws {BrokerError} With code "unsupported" without native calls.
   */
  lockFile(fd: number): FileLockOutcome;
  /**
   * What a file looks like from outside, as bytes; `known`, an earlier look, itself when nothing has changed since;
   * `undefined` when it cannot be told this way.
   */
  fileLook(path: string, known?: Uint8Array): Uint8Array | undefined;
  /** Watches the process that has a number now; `undefined` when the system cannot, or there is none. */
  watchProcess(pid: number): ProcessWatch | undefined;
  /** Two connections, each the other's peer. */
  connectionPair(): { readonly passed: DetachedConnection; readonly kept: DetachedConnection };
  /**
   * Dials a backend's handoff endpoint.
   *
   * @throws {BrokerError} With code "peer-rejected" when another user or process serves it: a client's
   *   connection goes to the backend that was verified and to nobody else.
   */
  dialControl(
    endpoint: string,
    options: WaitOptions & {
      /** The process that has to serve the endpoint; any process of our own user when it is not given. */
      readonly backendPid?: number | undefined;
    },
  ): Promise<ControlConnection>;
  /** Listens for brokers that pass connections. */
  listenControl(
    endpoint: string,
    options: ListenOptions,
    onControl: (control: IncomingControl) => void,
  ): Promise<LocalListener>;
}
