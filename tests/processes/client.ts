// A client. argv: the options of connectToBackend() as JSON with `repeat`, `bytes` and `verbose` added. Each connection
// sends that many bytes and wants them back. Prints one summary, or the error.
import process from "node:process";
import { BrokerClientError, type ClientEvent, connectToBackend, type LocalStream } from "../../mod.ts";
import { printJson } from "./json_line.ts";

const { repeat = 1, bytes = 64, verbose = false, ...options } = JSON.parse(process.argv[2] ?? "{}");
if (verbose) options.observe = (event: ClientEvent) => printJson({ ...event, event: event.kind });
const payload = Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
const routes: Record<string, number> = {};
const fallbacks: Record<string, number> = {};
let corrupt = 0;
try {
  for (let round = 0; round < repeat; round++) {
    await using session = await connectToBackend(options);
    routes[session.route] = (routes[session.route] ?? 0) + 1;
    if (session.handoffFallback !== undefined) {
      fallbacks[session.handoffFallback] = (fallbacks[session.handoffFallback] ?? 0) + 1;
    }
    const startMs = performance.now();
    if (!await isEchoed(session.stream)) corrupt++;
    if (verbose) {
      printJson({ event: "echoed", bytes, durationUs: Math.round((performance.now() - startMs) * 1000) });
    }
  }
  printJson({ event: "done", routes, fallbacks, corrupt });
} catch (error) {
  const kind = error instanceof BrokerClientError ? error.kind : "unexpected";
  const refusal = error instanceof BrokerClientError ? error.refusal : undefined;
  printJson({ event: "error", kind, message: String(error), refusal, routes, fallbacks, corrupt });
}
process.exit(0);

async function isEchoed(stream: LocalStream): Promise<boolean> {
  const sending = stream.write(payload);
  let seen = 0;
  while (seen < payload.length) {
    const chunk = await stream.read();
    if (chunk === null) return false;
    for (let i = 0; i < chunk.length; i++) if (chunk[i] !== payload[seen + i]) return false;
    seen += chunk.length;
  }
  await sending;
  return seen === payload.length;
}
