// This module has no I/O.
import { endpointDirectory } from "../naming/endpoint_path.ts";
import { joinPath } from "../naming/join_path.ts";
import { NONCE_BYTES } from "../wire/constants.ts";
import { encodeProbeRequest } from "../wire/probe.ts";
import { type DoctorCheck, fail, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { messageOf } from "./message_of.ts";
import { encodeProbeHello, PROBE_DEADLINE_MS } from "./probe_hello.ts";

/** Name of the check, and of its area. */
export const RUNTIME_DIRECTORY_CHECK = "sockets:runtime-dir";

/** Sockets asked at the same time: a folder full of silent ones is done in seconds, and no herd forms. */
const DIALS_AT_ONCE = 16;

/** The answer to the probe is not looked at, so that its nonce need not be a random one. */
const NONCE_BYTE = 0xd0;

/**
 * Check 9: sockets that nobody serves any more (protocol 10.2). They are counted and never removed.
 *
 * A live one gets a whole request, a backend the one that asks who it is: hanging up without a word is taken for
 * a failure by some, and ends a broker of the reference's release 4.5.7.
 */
export async function runtimeDirectoryCheck(host: DoctorHost): Promise<DoctorCheck> {
  if (host.values.platform === "windows") {
    return pass(RUNTIME_DIRECTORY_CHECK, "not applicable: named pipes leave nothing behind");
  }
  let directory: string;
  let names: readonly string[];
  try {
    directory = endpointDirectory(host.values);
    if (await host.kindOf(directory) === undefined) {
      return pass(RUNTIME_DIRECTORY_CHECK, `${directory} does not exist: there are no sockets`);
    }
    names = await host.listNames(directory);
  } catch (error) {
    return fail(
      RUNTIME_DIRECTORY_CHECK,
      `the directory of sockets cannot be looked at: ${messageOf(error)}; make it readable to you`,
    );
  }
  const sockets = names.filter((name) => name.endsWith(".sock")).sort();
  const stale = await staleAmong(host, directory, sockets);
  if (stale.length === 0) {
    return pass(RUNTIME_DIRECTORY_CHECK, `${directory}: ${sockets.length} sockets, none stale`);
  }
  return warn(
    RUNTIME_DIRECTORY_CHECK,
    `${directory}: ${stale.length} of ${sockets.length} sockets are stale (connecting is refused), the first is ` +
      `${stale[0]}; nothing was deleted, remove them when nothing of yours is starting`,
  );
}

async function staleAmong(host: DoctorHost, directory: string, names: readonly string[]): Promise<string[]> {
  const waiting = [...names];
  const stale: string[] = [];
  const hello = encodeProbeHello(host.pid);
  const identityRequest = encodeProbeRequest(new Uint8Array(NONCE_BYTES).fill(NONCE_BYTE));
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const request = isBackend(name) ? identityRequest : hello;
      const outcome = await host.dial(
        joinPath(host.values.platform, directory, name),
        request,
        PROBE_DEADLINE_MS,
      );
      if (outcome.kind === "unreachable" && outcome.isRefused) stale.push(name);
    }
  };
  await Promise.all(Array.from({ length: DIALS_AT_ONCE }, work));
  return stale.sort();
}

function isBackend(name: string): boolean {
  return /^rpb-v1-[0-9a-f]{16}-be-/.test(name);
}
