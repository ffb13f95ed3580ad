// This module has no I/O.
import { sharedBrokerName } from "../naming/endpoint_name.ts";
import { endpointPath } from "../naming/endpoint_path.ts";
import { type DoctorCheck, fail, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { messageOf } from "./message_of.ts";
import { encodeProbeHello, PROBE_DEADLINE_MS, readProbeReply } from "./probe_hello.ts";

/** Name of the check, and of its area. */
export const ENDPOINT_CHECK = "broker:endpoint";

/**
 * Check 7: who serves the broker's endpoint (protocol 10.2).
 *
 * @param endpoint The endpoint to ask; the user's shared broker when it is left out.
 */
export async function endpointCheck(host: DoctorHost, endpoint: string | undefined): Promise<DoctorCheck> {
  let asked: string;
  try {
    asked = endpoint ?? endpointPath(sharedBrokerName(await host.userHash()), host.values);
  } catch (error) {
    return fail(
      ENDPOINT_CHECK,
      `the endpoint of the shared broker cannot be derived: ${messageOf(error)}; name one with --socket`,
    );
  }
  const outcome = await host.dial(asked, encodeProbeHello(host.pid), PROBE_DEADLINE_MS);
  switch (outcome.kind) {
    case "unreachable":
      return warn(
        ENDPOINT_CHECK,
        `no broker listening at ${asked} (${outcome.detail}); start one with --serve or --serve-launch, ` +
          "or name another with --socket",
      );
    case "silent":
      return warn(ENDPOINT_CHECK, notAnswered(asked, outcome.detail));
    case "answered": {
      const { isBroker, detail } = readProbeReply(outcome.body);
      return isBroker
        ? pass(ENDPOINT_CHECK, `broker listening at ${asked}: ${detail}`)
        : warn(ENDPOINT_CHECK, notAnswered(asked, detail));
    }
  }
}

function notAnswered(endpoint: string, seen: string): string {
  return `${endpoint} took a connection but did not answer a v1 Hello (${seen}); ` +
    "look for the process that listens there";
}
