import {
  CAPABILITY_EARLY_DATA,
  CAPABILITY_HANDLE_PASSING,
  CAPABILITY_HANDOFF_ANNOUNCED,
  encodeHello,
} from "../mod.ts";
import { SERVICE, VERSION } from "../tests/support/topology.ts";

/** The first request: backends echo what does not begin like a frame. */
export const REQUEST: Uint8Array = new Uint8Array(64).fill(7);

/** The bytes that a compiled client sends, as hexadecimal digits. */
export interface ClientBytes {
  /** A Hello that wants no handoff. */
  readonly plain: string;
  /** A Hello of a client that adopts its connection. */
  readonly adopting: string;
  /** A Hello whose request follows at once. */
  readonly early: string;
  readonly request: string;
}

/** What compiled clients send; no pid, so that one Hello serves any process. */
export function clientBytes(): ClientBytes {
  const common = { serviceName: SERVICE, wantedVersion: VERSION, peerPid: 0 };
  const hello = (clientCapabilities: bigint) => hex(encodeHello({ ...common, clientCapabilities }));
  const adopting = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED;
  return {
    plain: hello(0n),
    adopting: hello(adopting),
    early: hello(adopting | CAPABILITY_EARLY_DATA),
    request: hex(REQUEST),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
