// Shows what the product does: three kinds of processes, every route, each step as it happened.
import process from "node:process";
import { parseArgs } from "node:util";
import { type Runtime, runtimeCommand } from "../tests/support/runtimes.ts";
import { startProcess } from "../tests/support/spawn.ts";
import {
  CLIENT_DEADLINE_MS,
  type ClientSummary,
  isEvent,
  SERVICE,
  startTopology,
  type Topology,
  VERSION,
} from "../tests/support/topology.ts";
import { backendSteps, brokerSteps, clientSteps } from "./demo/steps.ts";
import { paint, say, saySteps } from "./demo/screen.ts";

const RUNTIMES: Readonly<Record<string, Runtime>> = { deno: "deno", bun: "bun", node: "node20" };
const MEBIBYTE = 1024 * 1024;
/** How long the broker's and the backend's own accounts of a connection may come after the client's. */
const ACCOUNT_DEADLINE_MS = 5_000;

const { values } = parseArgs({ options: { runtime: { type: "string", default: "deno" } } });
const runtime = RUNTIMES[values.runtime];
if (runtime === undefined) {
  console.error(`demo: --runtime must be deno, bun or node, seen "${values.runtime}"`);
  process.exit(2);
}
process.exit(await demo(runtime));

async function demo(runtime: Runtime): Promise<number> {
  say(paint.title(`A broker, a backend and clients, each a process of its own, in ${values.runtime}`));
  await using topology = await startTopology({ backend: runtime, broker: runtime });
  say(`  backend  process ${topology.backend.pid}, endpoints be.sock and ho.sock in ${topology.dir.path}`);
  say(`  broker   process ${topology.broker.pid}, endpoint br.sock; it asked the backend who it is`);
  const counts: Record<string, number> = {
    "handle-passed": 0,
    "broker-negotiated": 0,
    "hello-skip": 0,
    refused: 0,
  };
  for (const act of acts(topology)) {
    say(`\n${paint.title(act.title)}`);
    const summary = await play(runtime, topology, act);
    const [outcome] = summary.kind === "Refused" ? ["refused"] : Object.keys(summary.routes);
    if (outcome !== act.outcome || summary.corrupt > 0) {
      say(`demo failed: wanted ${act.outcome}, got ${JSON.stringify(summary)}`);
      return 1;
    }
    counts[act.outcome]!++;
  }
  say("");
  say(paint.good(`demo ok: ${Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ")}`));
  return 0;
}

interface Act {
  readonly title: string;
  readonly outcome: "handle-passed" | "broker-negotiated" | "hello-skip" | "refused";
  readonly options: Record<string, unknown>;
  /** The last event of broker and backend about it. */
  readonly last: { readonly broker?: string; readonly backend?: string };
}

function acts(topology: Topology): Act[] {
  const handedOver = { broker: "handoff-completed", backend: "connection" };
  return [
    { title: "1. A live connection is handed over", outcome: "handle-passed", options: {}, last: handedOver },
    { title: "2. The same again, everything warm", outcome: "handle-passed", options: {}, last: handedOver },
    {
      title: "3. A client that wants no handoff reconnects",
      outcome: "broker-negotiated",
      options: { adoptHandedOffConnection: false },
      last: { broker: "hello", backend: "connection" },
    },
    {
      title: "4. A client that remembers the endpoint skips the Hello",
      outcome: "hello-skip",
      options: { cachedBackendEndpoint: topology.backendEndpoint },
      last: { backend: "connection" },
    },
    {
      title: "5. A client that wants a version older than the definition allows is refused",
      outcome: "refused",
      options: { version: "0.9.0" },
      last: { broker: "hello" },
    },
  ];
}

/** Runs one client and prints what all three processes say about it. */
async function play(runtime: Runtime, topology: Topology, act: Act): Promise<ClientSummary> {
  const fromLine = {
    broker: topology.broker.stdoutLines.length,
    backend: topology.backend.stdoutLines.length,
  };
  const options = { service: SERVICE, version: VERSION, broker: topology.brokerEndpoint, bytes: MEBIBYTE };
  const argument = JSON.stringify({ ...options, verbose: true, ...act.options });
  await using client = startProcess(runtimeCommand(runtime, "tests/processes/client.ts", [argument]));
  const isLast = (line: string) => isEvent("done")(line) || isEvent("error")(line);
  const summary = JSON.parse(
    await client.waitForLine(isLast, { deadlineMs: CLIENT_DEADLINE_MS }),
  ) as ClientSummary;
  for (const who of ["broker", "backend"] as const) {
    const event = act.last[who];
    if (event === undefined) continue;
    await topology[who].waitForLine(isEvent(event), {
      deadlineMs: ACCOUNT_DEADLINE_MS,
      fromLine: fromLine[who],
    });
  }
  saySteps([
    ...clientSteps(client.stdoutLines),
    ...brokerSteps(topology.broker.stdoutLines.slice(fromLine.broker)),
    ...backendSteps(topology.backend.stdoutLines.slice(fromLine.backend)),
  ]);
  if (summary.event === "error") say(`  ${paint.dim("the client's error:")} ${summary.message}`);
  return summary;
}
