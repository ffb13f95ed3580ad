import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { connectLocalSocket, encodeHello, type LocalStream, sendAdminRequest } from "../../mod.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { type ProcessCommand, type StartedProcess, startProcess } from "../support/spawn.ts";
import { isEvent, SERVICE, START_DEADLINE_MS, VERSION } from "../support/topology.ts";
import { WAIT } from "../support/waiting.ts";
import { helloReply, onlyFrame, readToEnd } from "./play_hostile.ts";

/** How long a broker may take to serve again: its looks are a second apart, and machines are busy. */
const CALM_DEADLINE_MS = 30_000;
const POLL_MS = 20;
const CLOCK_TICKS_PER_SECOND = 100;

/** Starts a module of the project with so many descriptors. */
export async function startLimited(
  runtime: Runtime,
  module: string,
  options: unknown,
  descriptors: number,
): Promise<StartedProcess> {
  const child = startProcess(
    limited(runtimeCommand(runtime, module, [JSON.stringify(options)]), descriptors),
  );
  await child.waitForLine(isEvent("ready"), { deadlineMs: START_DEADLINE_MS });
  return child;
}

function limited(what: ProcessCommand, descriptors: number): ProcessCommand {
  const script = `ulimit -n ${descriptors}; exec "$0" "$@"`;
  return { ...what, command: "/bin/sh", args: ["-c", script, what.command, ...what.args] };
}

/** Connects so many clients that say nothing; some are dropped by the broker. */
export async function connectSilent(endpoint: string, count: number): Promise<LocalStream[]> {
  const streams: LocalStream[] = [];
  for (let i = 0; i < count; i++) streams.push(await connectLocalSocket(endpoint, WAIT));
  return streams;
}

/** What a Hello is answered with: the code of its refusal and the hint; `undefined` when it was not answered. */
export async function askHello(
  endpoint: string,
): Promise<{ code: number; retryAfterMs: bigint; reason: string } | undefined> {
  const stream = await connectLocalSocket(endpoint, WAIT);
  try {
    const fields = { serviceName: SERVICE, wantedVersion: VERSION, peerPid: 0, clientCapabilities: 0n };
    await stream.write(encodeHello(fields));
    const bytes = await readToEnd(stream);
    if (bytes.length === 0) return undefined;
    const { result } = helloReply(onlyFrame("the answer", bytes));
    assert.ok(result.case === "refused", "nothing is there to negotiate with");
    const { code, retryAfterMs, reason } = result.value;
    return { code, retryAfterMs, reason };
  } catch {
    // Dropped in the middle of the Hello.
    return undefined;
  } finally {
    stream.close();
  }
}

/** What an operator is told; `undefined` when the connection was dropped. */
export async function askAdmin(endpoint: string, verb: AdminVerb): Promise<string | undefined> {
  try {
    return (await sendAdminRequest(endpoint, { verb, json: true }, WAIT)).body;
  } catch {
    // There was no room for this one.
    return undefined;
  }
}

/** The broker's status; `undefined` when the connection was dropped. */
export async function askStatus(
  endpoint: string,
): Promise<{ accepting_hello: boolean; fd_pressure: { demoted: boolean } } | undefined> {
  const body = await askAdmin(endpoint, AdminVerb.STATUS);
  return body === undefined ? undefined : JSON.parse(body);
}

/** Asks until the answer is the wanted one, and gives that. */
export async function askUntil<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  isWanted: (answer: T) => boolean,
): Promise<T> {
  const end = performance.now() + CALM_DEADLINE_MS;
  let seen: T | undefined;
  while (performance.now() < end) {
    seen = await ask();
    if (seen !== undefined && isWanted(seen)) return seen;
    await delay(POLL_MS);
  }
  throw new Error(
    `${what}: not within ${CALM_DEADLINE_MS} ms, last seen ${JSON.stringify(seen, bigintText)}`,
  );
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Milliseconds of processor time that a process uses in a while. */
export async function cpuMsIn(pid: number, whileMs: number): Promise<number> {
  const before = cpuTicks(pid);
  await delay(whileMs);
  return (cpuTicks(pid) - before) * 1000 / CLOCK_TICKS_PER_SECOND;
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
