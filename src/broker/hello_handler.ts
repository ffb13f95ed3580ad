// This module has no I/O.
import { create } from "@bufbuild/protobuf";
import type { HandoffToken } from "../handoff/handoff_token.ts";
import type { HandoffTokenStore } from "../handoff/token_store.ts";
import {
  CAPABILITY_EARLY_DATA,
  CAPABILITY_HANDLE_PASSING,
  CAPABILITY_HANDOFF_ANNOUNCED,
  PROTOCOL_VERSION,
} from "../wire/constants.ts";
import { decodeHello } from "../wire/first_frame.ts";
import {
  ErrorCode,
  type Frame,
  type Hello,
  type Negotiated,
  NegotiatedSchema,
} from "../wire/gen/broker_v1_envelope_pb.ts";
import type { Refusal } from "../wire/hello.ts";
import { HELLO_RATE_REASON, type HelloRateLimiter } from "./hello_rate_limiter.ts";
import { checkHelloShape } from "./hello_shape.ts";
import { refusal } from "./refusals.ts";

/** Seconds between signs of life that a client is told when it asks for nothing (protocol 2.1). */
export const KEEPALIVE_SECS_DEFAULT = 1_800n;

/** A backend that a Hello was routed to. */
export interface RoutedBackend {
  /** The registered version, which may be spelled as the client wants it. */
  readonly daemonVersion: string;
  /** The endpoint a client dials. */
  readonly backendPipe: string;
  /** Capability bits of the backend itself. */
  readonly serverCapabilities: bigint;
}

/** Where a Hello goes: to a backend, or back with a refusal. */
export type HelloRoute<Backend extends RoutedBackend> =
  | { readonly kind: "backend"; readonly backend: Backend }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** The answer to a Hello, before it is written. */
export type HelloAnswer<Backend extends RoutedBackend> =
  | { readonly kind: "refused"; readonly hello: Hello | undefined; readonly refusal: Refusal }
  | {
    readonly kind: "negotiated";
    readonly hello: Hello;
    readonly backend: Backend;
    readonly negotiated: Negotiated;
    /** The issued token; `undefined` when the connection is not to be handed over. */
    readonly token: HandoffToken | undefined;
  };

/** What one broker's handler is made of; it lives as long as the broker. */
export interface HelloHandlerParts<Backend extends RoutedBackend> {
  /** Where tokens are issued from. */
  readonly tokens: HandoffTokenStore;
  /** How many Hellos a process may send. */
  readonly rate: HelloRateLimiter;
  /** Finds the backend for a Hello whose shape was checked. */
  route(hello: Hello, frame: Frame): HelloRoute<Backend> | Promise<HelloRoute<Backend>>;
  /** Whether a connection to this backend may be handed over, so that a token is worth issuing. */
  mayHandOver(backend: Backend, early: EarlyData): boolean;
}

/** What a client sends ahead of the answer to its Hello (model rules 2 and 3). */
export interface EarlyData {
  /** The Hello says that a first request follows it at once. */
  readonly isAnnounced: boolean;
  /** Bytes behind the Hello that were read with it. */
  readonly residueBytes: number;
}

/** One Hello as it arrived. */
export interface HelloRequest {
  /** The frame it came in. */
  readonly frame: Frame;
  /** The client's process by the kernel's word; 0 when it is unknown. */
  readonly peerPid: number;
  /** Bytes behind the Hello that were read with it. */
  readonly residueBytes: number;
  /** The time in milliseconds, on the clock of the tokens. */
  readonly nowMs: number;
}

/** Answers Hellos: frame checks, shape checks, rate, routing, negotiation, in this order (protocol 6.6, 6.8). */
export class HelloHandler<Backend extends RoutedBackend> {
  readonly #parts: HelloHandlerParts<Backend>;
  #connectionId = 0n;

  /** Makes a handler whose first connection id is 1. */
  constructor(parts: HelloHandlerParts<Backend>) {
    this.#parts = parts;
  }

  /** Decides on one Hello; a refusal is a value. Rejects only when routing does. */
  async answer(request: HelloRequest): Promise<HelloAnswer<Backend>> {
    const opened = decodeHello(request.frame);
    if (!opened.ok) return { kind: "refused", hello: undefined, refusal: opened.refusal };
    const { hello } = opened;
    const refused = checkHelloShape(hello, request.peerPid) ?? this.#checkRate(request);
    if (refused !== undefined) return { kind: "refused", hello, refusal: refused };
    const route = await this.#parts.route(hello, request.frame);
    if (route.kind === "refused") return { kind: "refused", hello, refusal: route.refusal };
    return this.#negotiate(hello, route.backend, request);
  }

  #checkRate({ peerPid, nowMs }: HelloRequest): Refusal | undefined {
    const retryAfterMs = this.#parts.rate.count(peerPid, nowMs);
    if (retryAfterMs === undefined) return undefined;
    return refusal(ErrorCode.ERROR_RATE_LIMITED, HELLO_RATE_REASON, BigInt(retryAfterMs));
  }

  #negotiate(hello: Hello, backend: Backend, request: HelloRequest): HelloAnswer<Backend> {
    const { residueBytes, nowMs } = request;
    const isAnnounced = (hello.clientCapabilities & CAPABILITY_EARLY_DATA) !== 0n;
    const wanted = (hello.clientCapabilities & CAPABILITY_HANDLE_PASSING) !== 0n;
    const token = wanted && this.#parts.mayHandOver(backend, { isAnnounced, residueBytes })
      ? this.#issueToken(nowMs)
      : undefined;
    const negotiated = create(NegotiatedSchema, {
      negotiatedProtocol: PROTOCOL_VERSION,
      daemonVersion: backend.daemonVersion,
      backendPipe: backend.backendPipe,
      serverCapabilities: backend.serverCapabilities | handoffBits(hello, token),
      keepaliveIntervalSecs: hello.clientKeepaliveSecs || KEEPALIVE_SECS_DEFAULT,
      connectionId: ++this.#connectionId,
    });
    if (token !== undefined) negotiated.handlePassedToken = token.toBytes();
    return { kind: "negotiated", hello, backend, negotiated, token };
  }

  /** A store that cannot issue costs the handoff, never the reply. */
  #issueToken(nowMs: number): HandoffToken | undefined {
    const issued = this.#parts.tokens.issue(nowMs);
    return issued.ok ? issued.token : undefined;
  }
}

function handoffBits(hello: Hello, token: HandoffToken | undefined): bigint {
  if (token === undefined) return 0n;
  // A reference client never set bit 32, so it never sees it in a reply.
  return CAPABILITY_HANDLE_PASSING | (hello.clientCapabilities & CAPABILITY_HANDOFF_ANNOUNCED);
}
