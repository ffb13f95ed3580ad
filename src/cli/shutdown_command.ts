import { lstat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { withoutCode } from "../client/client_error.ts";
import { sendAdminRequest } from "../client/admin_request.ts";
import { DRAIN_DEADLINE_MS_DEFAULT, DRAIN_DEADLINE_MS_MAX } from "../broker/serve_broker_options.ts";
import { fileKey } from "../host/file_key.ts";
import { quotedText } from "../naming/quoted_text.ts";
import { osErrorCode } from "../transport/os_error.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import { type CommandLine, UsageError } from "./command_line.ts";
import { exitCodeOf } from "./exit_code.ts";
import { writeBody, writeError } from "./stdio.ts";

/** Between two looks whether a broker is gone. */
const LOOK_MS = 100;
/** What a broker may take to end after what was under way has ended or been given up. */
const END_MS = 5_000;
/** For a broker to say that it is there. */
const ASK_DEADLINE_MS = 1_000;

/**
 * `shutdown [--drain-ms N]`: stops the broker behind an endpoint and waits until it is gone.
 *
 * @returns The exit code: the reply's; 1 when the broker could not be asked or is still there when its time is over.
 * @throws {UsageError} Without an endpoint, or with a time that is none.
 */
export async function shutdownCommand(line: CommandLine, endpoint: string | undefined): Promise<number> {
  if (endpoint === undefined) throw new UsageError("shutdown needs --socket ENDPOINT");
  const drainMs = line.count("--drain-ms", 1);
  if (drainMs !== undefined && drainMs > DRAIN_DEADLINE_MS_MAX) {
    throw new UsageError(`--drain-ms must be at most ${DRAIN_DEADLINE_MS_MAX}, seen "${drainMs}"`);
  }
  const before = await socketKey(endpoint);
  try {
    const drainDeadlineMs = BigInt(drainMs ?? 0);
    const { body, exitCode } = await sendAdminRequest(endpoint, {
      verb: AdminVerb.SHUTDOWN,
      drainDeadlineMs,
    });
    await writeBody(body);
    if (exitCode !== 0) return exitCodeOf(exitCode);
  } catch (error) {
    writeError(`admin request to ${quotedText(endpoint)} failed: ${withoutCode(error)}`);
    return 1;
  }
  return await waitForEnd(endpoint, before, (drainMs ?? DRAIN_DEADLINE_MS_DEFAULT) + END_MS);
}

async function waitForEnd(endpoint: string, before: string | undefined, forMs: number): Promise<number> {
  const end = performance.now() + forMs;
  if (await isGone(endpoint, before)) return 0;
  writeError(`waiting up to ${forMs} ms for what is under way behind ${quotedText(endpoint)} to end`);
  while (performance.now() < end) {
    await delay(LOOK_MS);
    if (await isGone(endpoint, before)) return 0;
  }
  writeError(
    `the broker behind ${quotedText(endpoint)} is still there after ${forMs} ms; ask again or end it`,
  );
  return 1;
}

/** Whether the name is gone or another's, or nobody listens behind it. */
async function isGone(endpoint: string, before: string | undefined): Promise<boolean> {
  if (await socketKey(endpoint) !== before) return true;
  try {
    await sendAdminRequest(endpoint, { verb: AdminVerb.HEALTHZ }, { deadlineMs: ASK_DEADLINE_MS });
    return false;
  } catch (error) {
    return isNobodyThere(error);
  }
}

/** Only a refused connection or a missing name proves it; a timeout proves nothing. */
function isNobodyThere(error: unknown): boolean {
  for (let seen = error; seen instanceof Error; seen = seen.cause) {
    const code = osErrorCode(seen);
    if (code === "ECONNREFUSED" || code === "ENOENT") return true;
  }
  return false;
}

/** What tells one socket from another with the same name; `undefined` when there is none. */
async function socketKey(path: string): Promise<string | undefined> {
  try {
    return fileKey(await lstat(path, { bigint: true }));
  } catch {
    // Nothing has this name, or what has it may not be looked at: then its broker could not be asked either.
    return undefined;
  }
}
