import { realpathSync } from "node:fs";
import process from "node:process";
import { serveBackend, type ServedConnection } from "../../mod.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { defineService, SERVICE, VERSION } from "../support/topology.ts";
import { EventLog } from "./event_log.ts";
import { type LocalBackend, type LocalBroker, startLocalBroker } from "./local_pair.ts";
import { startWarmTaker, type WarmTaker } from "./warm_taker.ts";
import { warmUp } from "./warm_lab.ts";

/** A broker with a channel to a scripted handoff endpoint, and a real backend that notes who reconnected. */
export interface WarmPair extends AsyncDisposable {
  readonly dir: TempDir;
  readonly broker: LocalBroker;
  readonly taker: WarmTaker;
  /** First requests that the backend has had on connections of its own, as text. */
  readonly reconnected: string[];
}

/** Starts it, its channel open. */
export async function startWarmPair(): Promise<WarmPair> {
  const dir = await makeTempDir();
  const [endpoint, handoffEndpoint] = [dir.join("be.sock"), dir.join("ho.sock")];
  const reconnected: string[] = [];
  const place = { endpoint, namespace: "shared" };
  const backend = await serveBackend({ service: SERVICE, version: VERSION, ...place });
  void (async () => {
    for await (const connection of backend) void note(connection, reconnected);
  })();
  const taker = await startWarmTaker(handoffEndpoint);
  const definitions = await defineService(dir, realpathSync(process.execPath));
  const events: LocalBackend["events"] = new EventLog();
  const served = { dir, backend, endpoint, handoffEndpoint, events, definitions } as LocalBackend;
  const broker = await startLocalBroker(served, { helloRate: 0 });
  await warmUp(broker);
  reconnected.length = 0;
  return {
    dir,
    broker,
    taker,
    reconnected,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await taker[Symbol.asyncDispose]();
      await backend.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function note({ stream }: ServedConnection, requests: string[]): Promise<void> {
  try {
    const first = await stream.read();
    if (first !== null) requests.push(new TextDecoder().decode(first));
    for (let chunk = first; chunk !== null; chunk = await stream.read()) await stream.write(chunk);
  } catch {
    // The client left in the middle of its own echo.
  } finally {
    stream.close();
  }
}
