// A well-behaved client that is warm. argv: the options of connectToBackend() as JSON, `peers` added: the pids
// of broker and backend. For each line of its input, a number, it connects so many times, wants 64 bytes back
// each time and prints how that went.
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { connectToBackend, type LocalStream } from "../../mod.ts";
import { printJson } from "../processes/json_line.ts";

const { peers = [], ...options } = JSON.parse(process.argv[2] ?? "{}");
const pids: number[] = [process.pid, ...peers];
const payload = Uint8Array.from({ length: 64 }, (_, index) => index * 31);
printJson({ event: "ready" });
for await (const count of createInterface({ input: process.stdin })) {
  const routes: Record<string, number> = {};
  const failures: string[] = [];
  let slowest = { ms: 0, queuedMs: 0 };
  for (let i = 0; i < Number(count); i++) {
    const queuedBefore = queuedMs();
    const start = performance.now();
    const outcome = await connectOnce();
    const took = { ms: performance.now() - start, queuedMs: queuedMs() - queuedBefore };
    if (took.ms - took.queuedMs > slowest.ms - slowest.queuedMs) slowest = took;
    if (outcome.failure !== undefined) failures.push(outcome.failure);
    else routes[outcome.route] = (routes[outcome.route] ?? 0) + 1;
  }
  printJson({ event: "answered", routes, failures, slowest });
}
process.exit(0);

async function connectOnce(): Promise<{ route: string; failure: string | undefined }> {
  try {
    await using session = await connectToBackend(options);
    await session.stream.write(payload);
    const failure = await echoes(session.stream) ? undefined : "other bytes came back";
    return { route: session.route, failure };
  } catch (error) {
    return { route: "", failure: String(error) };
  }
}

/** How long client, broker and backend have waited for a processor so far: the machine's doing, not theirs. */
function queuedMs(): number {
  return pids.reduce((sum, pid) => sum + Number(schedulerFigures(pid)[1] ?? 0) / 1e6, 0);
}

function schedulerFigures(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
  } catch {
    // This kernel does not count it: then every wait is theirs.
    return [];
  }
}

async function echoes(stream: LocalStream): Promise<boolean> {
  let seen = 0;
  while (seen < payload.length) {
    const chunk = await stream.read();
    if (chunk === null) return false;
    for (const byte of chunk) if (byte !== payload[seen++]) return false;
  }
  return true;
}
