import assert from "node:assert/strict";
import { mkdirSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { create } from "@bufbuild/protobuf";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { BrokerIsolation, ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { runCli } from "../cli/_run_cli.ts";
import { projectFile } from "../support/project.ts";
import { type StartedProcess, startProcess } from "../support/spawn.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { CLIENT_DEADLINE_MS, isEvent, SERVICE, START_DEADLINE_MS, VERSION } from "../support/topology.ts";

/** Arguments of `deno run` for each part, as the doctor prints them. */
export type PartFlags = Readonly<
  Record<"client" | "backend" | "broker" | "launching-broker", readonly string[]>
>;

/** Nobody may be asked for what is not allowed; type checks would only take time. */
const ALWAYS = ["run", "--quiet", "--no-prompt", "--no-check"];
const BACKEND = projectFile("tests/processes/echo_backend.ts");

/** A host of its own for one test: folders of a user on whose machine nothing else runs. */
export class AllowedHost implements AsyncDisposable {
  /** Where the sockets are. */
  readonly sockets: string;
  readonly #dir: TempDir;
  readonly #definitions: string;
  readonly #started: StartedProcess[] = [];

  private constructor(dir: TempDir) {
    this.#dir = dir;
    this.sockets = dir.join("running-process", "broker");
    this.#definitions = dir.join("defs");
    mkdirSync(this.sockets, { recursive: true, mode: 0o700 });
    mkdirSync(dir.join("state", "running-process"), { recursive: true, mode: 0o700 });
  }

  /** Makes the folders. */
  static async open(): Promise<AllowedHost> {
    return new AllowedHost(await makeTempDir());
  }

  /** The variables of every process here. */
  get environment(): Record<string, string> {
    return {
      HOME: this.#dir.path,
      XDG_RUNTIME_DIR: this.#dir.path,
      XDG_STATE_HOME: this.#dir.join("state"),
      XDG_DATA_HOME: this.#dir.join("data"),
      RUNNING_PROCESS_SERVICE_DEF_DIR: this.#definitions,
      RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1",
      DENO_DIR: process.env["DENO_DIR"] ?? this.#dir.join("cache"),
      NO_COLOR: "1",
    };
  }

  /** Defines a service whose backend runs in this Deno; with flags, one that a broker launches. */
  async define(serviceName: string, flags?: readonly string[]): Promise<void> {
    const deno = realpathSync(process.execPath);
    const launched = flags === undefined ? { binaryPath: deno } : {
      binaryPath: BACKEND,
      perVersionBinaryDir: dirname(BACKEND),
      labels: { interpreter: deno, args: JSON.stringify([...ALWAYS, ...flags]) },
    };
    const shared = { serviceName, isolation: BrokerIsolation.SHARED_BROKER, minVersion: "1.0.0" };
    await writeServiceDefinition(
      this.#definitions,
      create(ServiceDefinitionSchema, { ...shared, ...launched }),
    );
  }

  /** What the doctor says to allow here. */
  async flags(): Promise<PartFlags> {
    const { stdout } = await runCli(["doctor", "--json"], this.environment);
    const { checks } = JSON.parse(stdout) as { checks: { check: string; flags: PartFlags }[] };
    const found = checks.find(({ check }) => check === "runtime:permissions");
    assert.ok(found?.flags !== undefined, stdout);
    return found.flags;
  }

  /** Starts a module with no more than these flags. */
  start(flags: readonly string[], module: string, ...args: string[]): StartedProcess {
    const command = { command: process.execPath, args: [...ALWAYS, ...flags, projectFile(module), ...args] };
    const started = startProcess({ ...command, env: this.environment }, { isEnvClean: true });
    this.#started.push(started);
    return started;
  }

  /** Starts a backend that no broker launches. @returns Where it is. */
  async startBackend(flags: readonly string[]): Promise<{ endpoint: string; handoffEndpoint: string }> {
    const place = { endpoint: `${this.sockets}/be.sock`, handoffEndpoint: `${this.sockets}/ho.sock` };
    const options = { service: SERVICE, version: VERSION, namespace: "shared", ...place };
    const backend = this.start(flags, "tests/processes/echo_backend.ts", JSON.stringify(options));
    await backend.waitForLine(isEvent("ready"), { deadlineMs: START_DEADLINE_MS });
    return place;
  }

  /** Starts a broker on the command line. @returns Whether it serves; else it has ended. */
  async startBroker(flags: readonly string[], args: readonly string[]): Promise<StartedProcess | undefined> {
    const broker = this.start(flags, "cli.ts", ...args);
    const ended = broker.exit.then(() => undefined);
    const serving = serves(broker).then(() => broker);
    return await Promise.race([serving, ended]);
  }

  /** Runs one connection of a client. @returns The routes it took, or what it or Deno said instead. */
  async connect(flags: readonly string[], options: Record<string, unknown>): Promise<unknown> {
    const argument = JSON.stringify({ service: SERVICE, version: VERSION, ...options });
    await using client = this.start(flags, "tests/processes/client.ts", argument);
    await client.waitForExit({ deadlineMs: CLIENT_DEADLINE_MS });
    const summary = client.stdoutLines.find((line) => line.startsWith("{"));
    if (summary === undefined) return client.stderrTail.join("\n");
    const { event, routes, message } = JSON.parse(summary) as Record<string, unknown>;
    return event === "done" ? routes : message;
  }

  /** What a broker misses: in words of its own, or in what it tells operators. */
  async complaints(broker: StartedProcess, endpoint: string): Promise<string[]> {
    const { stdout } = await runCli(["status", "--json", "--socket", endpoint], this.environment);
    const { inode_pressure: inodes } = JSON.parse(stdout) as { inode_pressure: { detail?: string } };
    return [...broker.stderrTail, ...inodes.detail === undefined ? [] : [inodes.detail]]
      .filter((line) => /Requires .* access|NotCapable/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.reverse()) await started[Symbol.asyncDispose]();
    await this.#dir[Symbol.asyncDispose]();
  }
}

/** A broker on the command line says on stderr that it serves. */
async function serves(broker: StartedProcess): Promise<void> {
  const end = performance.now() + START_DEADLINE_MS;
  while (!broker.stderrTail.some((line) => line.includes(": serving "))) {
    if (performance.now() > end) throw new Error(`No broker serves: ${broker.stderrTail.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Each of some flags left out; of one with several values, each value. */
export function withoutOne(
  flags: readonly string[],
  listed: readonly string[] = [],
): [left: string, rest: readonly string[]][] {
  return flags.flatMap((flag, index): [string, readonly string[]][] => {
    const [name, text = ""] = flag.split("=");
    const values = text.split(",");
    if (!listed.includes(name!) || values.length === 1) return [[flag, flags.toSpliced(index, 1)]];
    return values.map((value) => {
      const rest = values.filter((other) => other !== value).join(",");
      return [`${name}=${value}`, flags.with(index, `${name}=${rest}`)];
    });
  });
}
