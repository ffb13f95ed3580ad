// This module has no I/O.
import { BrokerError } from "../errors.ts";
import { PIPE_PREFIX } from "./endpoint_path.ts";
import type { Platform } from "./platform.ts";

/** A pipe prefix in any of its spellings: Windows takes both slashes and any case. */
const ANY_PIPE_PREFIX = /^[\\/]{2}\.[\\/]pipe[\\/]/i;

/** Where a process listens: a namespace (the broker instance's id) and an endpoint string. */
export interface EndpointPlace {
  /** Which broker instance the endpoint belongs to. */
  readonly namespaceId: string;
  /** A socket's path, or on Windows a bare pipe name. */
  readonly path: string;
}

/**
 * The operating system's addresses that an endpoint string may stand for, most likely first (protocol 3.4).
 *
 * On Unix the string is a path and the only candidate. On Windows a bare name is one pipe too, but peers
 * disagree about a name that already has the `\\.\pipe\` prefix: up to 4.8 they put another prefix in front,
 * from 4.10.1 they do not. So a client tries both in this order, and a server listens on both.
 *
 * @param endpoint The string as a peer, a file or a user gave it.
 * @param platform Whose rules apply.
 * @returns One or two addresses for `node:net`.
 */
export function endpointAddresses(endpoint: string, platform: Platform): readonly string[] {
  if (platform !== "windows") return [endpoint];
  const once = withoutPipePrefix(endpoint);
  if (once === endpoint) return [PIPE_PREFIX + endpoint];
  const twice = withoutPipePrefix(once);
  const single = PIPE_PREFIX + twice;
  const doubled = PIPE_PREFIX + PIPE_PREFIX + twice;
  return twice === once ? [single, doubled] : [doubled, single];
}

/**
 * The form of an endpoint string that every version understands: on Windows the bare name (protocol 3.4).
 *
 * @param endpoint With or without pipe prefixes.
 * @param platform Whose rules apply.
 */
export function bareEndpoint(endpoint: string, platform: Platform): string {
  if (platform !== "windows") return endpoint;
  const shorter = withoutPipePrefix(endpoint);
  return shorter === endpoint ? endpoint : bareEndpoint(shorter, platform);
}

/**
 * Builds an endpoint of this platform after checking its path (protocol 3.4).
 *
 * @param platform Whose rules apply.
 * @param namespaceId The broker instance's id.
 * @param path A socket's path; on Windows a bare pipe name.
 * @throws {BrokerError} With code "config" for an empty path, and on Windows for a prefixed name.
 */
export function endpointPlace(platform: Platform, namespaceId: string, path: string): EndpointPlace {
  if (path === "") {
    throw new BrokerError("config", 'Cannot build an endpoint from "": the path must not be empty');
  }
  if (platform === "windows" && ANY_PIPE_PREFIX.test(path)) {
    throw new BrokerError("config", `Cannot build an endpoint from "${path}": it takes a bare pipe name`);
  }
  return { namespaceId, path };
}

function withoutPipePrefix(endpoint: string): string {
  return endpoint.replace(ANY_PIPE_PREFIX, "");
}
