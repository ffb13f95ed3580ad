import { SERVICE, VERSION } from "../support/topology.ts";
import { type LocalBackend, type LocalBroker, startLocalBroker } from "./local_pair.ts";
import { type HandoffScript, type ScriptedHandoffs, scriptHandoffs } from "./scripted_handoffs.ts";

/** A broker in front of a backend whose handoff endpoint does as it is told. */
export interface ScriptedPair extends AsyncDisposable {
  readonly broker: LocalBroker;
  readonly handoffs: ScriptedHandoffs;
  /** What is done with the connections of brokers from now on. */
  use(script: HandoffScript): void;
}

let pairs = 0;

/** Starts a broker whose backend takes clients by itself and handoffs as the script says. */
export async function startScripted(served: LocalBackend, first: HandoffScript): Promise<ScriptedPair> {
  const handoffEndpoint = served.dir.join(`scripted${pairs++}.sock`);
  let inForce = first;
  const handoffs = await scriptHandoffs(handoffEndpoint, () => inForce);
  const backend = { service: SERVICE, version: VERSION, endpoint: served.endpoint, handoffEndpoint };
  const broker = await startLocalBroker(served, { backend });
  return {
    broker,
    handoffs,
    use: (script) => inForce = script,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await handoffs[Symbol.asyncDispose]();
    },
  };
}
