// This module has no I/O.
import type { FirstFrame, FirstFrameReader } from "../wire/first_frame_reader.ts";
import type { FramingError } from "../wire/framing_error.ts";
import type { WaitOptions } from "./wait_options.ts";
import type { LocalListener, LocalStream, PeerCredentials } from "./local_stream.ts";

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
  /**
   * Reads until the reader has its frame, then detaches the connection: no byte behind the ones
   * in the outcome has been read, none will be.
   *
   * @throws {BrokerError} With code "deadline" or the abort reason; the connection is closed then.
   */
  firstFrame(reader: FirstFrameReader, options: WaitOptions): Promise<FirstFrameArrival>;
  /** Drops the connection. Idempotent. */
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
   */
  pass(
    connection: DetachedConnection,
    token: Uint8Array,
    offer: (handleValue: bigint) => Uint8Array,
  ): PassOutcome;
}

/** A connection that was handed to this backend and is not adopted yet. */
export interface PassedConnection {
  /** Its native end as it was received, for people: "fd 14". */
  readonly label: string;
  /** Whether bytes of the client already wait. */
  state(): "empty" | "readable" | "eof" | "failed";
  /** Makes it a stream; the passed end belongs to the stream from now on. */
  adopt(): LocalStream;
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
  /** Writes a short frame without waiting. */
  sendNow(bytes: Uint8Array): SendOutcome;
  /** Idempotent. */
  close(): void;
}

/** What listening needs besides the endpoint. */
export interface ListenOptions {
  /** See {@linkcode PublishOptions.politeRequest}. */
  readonly politeRequest?: Uint8Array | undefined;
}

/** One kernel's local sockets. */
export interface Transport {
  /** The user whose peers are ours: the decimal effective uid on Unix. */
  readonly ownUser: number;
  /** Why connections can be neither passed nor adopted nor their peers checked; `undefined` when they can. */
  readonly nativeMissing: string | undefined;
  /** Connects to an endpoint, by the fastest API the runtime has. */
  connect(endpoint: string, options: WaitOptions): Promise<LocalStream>;
  /** Connects to an endpoint and says who serves it. */
  connectWithPeer(
    endpoint: string,
    options: WaitOptions,
  ): Promise<{ stream: LocalStream; peer: PeerCredentials }>;
  /** Listens for connections that are served here. */
  listen(
    endpoint: string,
    options: ListenOptions,
    onStream: (stream: LocalStream) => void,
  ): Promise<LocalListener>;
  /** Listens for connections that may be passed on. */
  listenPassable(
    endpoint: string,
    options: ListenOptions,
    onConnection: (connection: IncomingConnection) => void,
  ): Promise<LocalListener>;
  /**
   * A copy of a connection that its holder keeps: on Unix of a descriptor.
   *
   * @throws {BrokerError} With code "os" when there is no such connection.
   */
  copyConnection(nativeEnd: number): DetachedConnection;
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
