// This module has no I/O.
import { encodeHello, type HelloOptions } from "../wire/hello.ts";

/** The newest Hello: a tool says the same one each time. */
let kept: { readonly said: HelloOptions; readonly bytes: Uint8Array } | undefined;

/** A Hello with its frame and header, encoded once as long as it stays the same. Not to be changed. */
export function helloBytes(options: HelloOptions): Uint8Array {
  if (kept !== undefined && isSame(kept.said, options)) return kept.bytes;
  const bytes = encodeHello(options);
  kept = { said: options, bytes };
  return bytes;
}

function isSame(a: HelloOptions, b: HelloOptions): boolean {
  return a.serviceName === b.serviceName && a.wantedVersion === b.wantedVersion && a.peerPid === b.peerPid &&
    a.clientVersion === b.clientVersion && a.clientCapabilities === b.clientCapabilities &&
    a.clientLibName === b.clientLibName && a.clientLibVersion === b.clientLibVersion &&
    a.clientKeepaliveSecs === b.clientKeepaliveSecs && a.authToken === b.authToken &&
    a.traceparent === b.traceparent && a.tracestate === b.tracestate;
}
