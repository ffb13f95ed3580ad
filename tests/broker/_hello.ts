import { create } from "@bufbuild/protobuf";
import { HelloHandler, type HelloHandlerParts, type RoutedBackend } from "../../src/broker/hello_handler.ts";
import { HelloRateLimiter, type HelloRateOptions } from "../../src/broker/hello_rate_limiter.ts";
import { HandoffTokenStore } from "../../src/handoff/token_store.ts";
import { type Frame, FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeHello, type HelloOptions } from "../../src/wire/hello.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import { tokenBytesOf } from "../handoff/_support.ts";

/** A Hello that a broker takes; fields may differ. */
export function helloFrame(fields: Partial<HelloOptions> = {}): Frame {
  const bytes = encodeHello({
    serviceName: "zccache",
    wantedVersion: "1.11.20",
    peerPid: 0,
    clientCapabilities: 0n,
    ...fields,
  });
  const framed = tryDecodeFramed(bytes);
  if (framed.kind !== "frame") throw new Error("no frame");
  return create(FrameSchema, framed.frame);
}

/** The backend that every Hello leads to. */
export const BACKEND: RoutedBackend = {
  daemonVersion: "1.11.20",
  backendPipe: "/run/be.sock",
  serverCapabilities: 4n,
};

/** A store whose tokens are made from 1, 2, 3 and so on. */
export function countingTokens(): HandoffTokenStore {
  let seed = 0;
  return new HandoffTokenStore(() => tokenBytesOf(++seed));
}

/** A handler that routes everything to {@linkcode BACKEND}; parts may differ. */
export function helloHandler(
  parts: Partial<HelloHandlerParts<RoutedBackend>> & { rate?: HelloRateLimiter; limits?: HelloRateOptions } =
    {},
): HelloHandler<RoutedBackend> {
  return new HelloHandler({
    tokens: parts.tokens ?? countingTokens(),
    rate: parts.rate ?? new HelloRateLimiter(parts.limits),
    route: parts.route ?? (() => ({ kind: "backend", backend: BACKEND })),
    mayHandOver: parts.mayHandOver ?? (() => true),
  });
}

/** One Hello as the broker gets it. */
export function request(frame: Frame, peerPid = 77, nowMs = 0) {
  return { frame, peerPid, residueBytes: 0, nowMs };
}
