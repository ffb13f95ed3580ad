// This module has no I/O.
import { serviceNameFault, versionFault } from "../naming/validate_name.ts";
import { PROTOCOL_VERSION } from "../wire/constants.ts";
import type { Hello } from "../wire/gen/broker_v1_envelope_pb.ts";
import type { Refusal } from "../wire/hello.ts";
import { REFUSALS } from "./refusals.ts";

/** Bytes of `wanted_version`: a version is a few numbers. */
export const WANTED_VERSION_BYTES_MAX = 64;
/** Bytes of `client_version`, which is for people. */
export const CLIENT_VERSION_BYTES_MAX = 128;
/** Bytes of each `client_lib` field. */
export const CLIENT_LIB_BYTES_MAX = 64;

/**
 * Checks what a Hello says by itself, before anything is looked up or started for it (protocol 6.8, 1 to 6).
 *
 * @param peerPid The client's process by the kernel's word; 0 when it is unknown.
 * @returns The first refusal that applies.
 */
export function checkHelloShape(hello: Hello, peerPid: number): Refusal | undefined {
  if (hello.clientMinProtocol > PROTOCOL_VERSION || hello.clientMaxProtocol < PROTOCOL_VERSION) {
    return REFUSALS.protocolRange;
  }
  if (serviceNameFault(hello.serviceName) !== undefined) return REFUSALS.serviceName;
  if (longerThan(hello.wantedVersion, WANTED_VERSION_BYTES_MAX)) return REFUSALS.wantedVersion;
  if (versionFault(hello.wantedVersion) !== undefined) return REFUSALS.wantedVersion;
  if (longerThan(hello.clientVersion, CLIENT_VERSION_BYTES_MAX)) return REFUSALS.clientVersion;
  if (longerThan(hello.clientLibName, CLIENT_LIB_BYTES_MAX)) return REFUSALS.clientLib;
  if (longerThan(hello.clientLibVersion, CLIENT_LIB_BYTES_MAX)) return REFUSALS.clientLib;
  const pidsDiffer = hello.peerPid !== 0 && peerPid !== 0 && hello.peerPid !== peerPid;
  return pidsDiffer ? REFUSALS.peerPid : undefined;
}

const encoder = new TextEncoder();

function longerThan(text: string, bytesMax: number): boolean {
  // A UTF-16 unit has one to three bytes: most texts are decided without encoding them.
  if (text.length > bytesMax) return true;
  return text.length * 3 > bytesMax && encoder.encode(text).length > bytesMax;
}
