import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { create } from "@bufbuild/protobuf";
import { type BackendConnection, connectToBackend } from "@running-process/broker";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { BrokerIsolation, ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { projectRoot } from "../support/project.ts";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { type ProcessCommand, type StartedProcess, startProcess } from "../support/spawn.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { isEvent, SERVICE, START_DEADLINE_MS, VERSION } from "../support/topology.ts";

const BROKER = "tests/processes/broker.ts";
const SCRIPT = "tests/processes/launched_backend.ts";

/** What a launch definition says besides the service. */
export interface LaunchDefinition {
  readonly binaryPath: string;
  readonly perVersionBinaryDir: string;
  readonly labels: Record<string, string>;
}

/** The definition of a script of ours that a runtime runs. */
export function scriptDefinition(runtime: Runtime, script = SCRIPT): LaunchDefinition {
  const { command, args } = runtimeCommand(runtime, script);
  const labels = { interpreter: realpathSync(command), args: JSON.stringify(args.slice(0, -1)) };
  return { binaryPath: args.at(-1)!, perVersionBinaryDir: projectRoot, labels };
}

/** A broker that launches, in a process of its own, and what it has launched; all gone when it is disposed. */
export class LaunchLab implements AsyncDisposable {
  readonly dir: TempDir;
  #broker: StartedProcess;

  private constructor(dir: TempDir, broker: StartedProcess) {
    this.dir = dir;
    this.#broker = broker;
  }

  /** The broker that was started last. */
  get broker(): StartedProcess {
    return this.#broker;
  }

  static async open(
    definition: LaunchDefinition,
    runtime: Runtime = "deno",
    env: Record<string, string> = {},
  ): Promise<LaunchLab> {
    const dir = await makeTempDir();
    const command = runtimeCommand(runtime, BROKER, [JSON.stringify(brokerOptions(dir))]);
    const lab = await LaunchLab.#start(dir, definition, { ...command, env: { ...command.env, ...env } });
    await lab.broker.waitForLine(isEvent("ready"), { deadlineMs: START_DEADLINE_MS });
    return lab;
  }

  /** Ends the broker, by default without a chance to clear up, and starts another one on the same socket. */
  async replaceBroker(runtime: Runtime, signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    this.#broker.killGroup(signal);
    await this.#broker.exit;
    await this.#broker[Symbol.asyncDispose]();
    this.#broker = await this.startBroker(runtime, brokerOptions(this.dir));
  }

  /** Starts another broker for the same user; whoever starts it ends it. */
  async startBroker(runtime: Runtime, options: Readonly<Record<string, unknown>>): Promise<StartedProcess> {
    const command = runtimeCommand(runtime, BROKER, [JSON.stringify(options)]);
    const broker = startProcess({ ...command, env: { ...command.env, XDG_RUNTIME_DIR: this.dir.path } });
    await broker.waitForLine(isEvent("ready"), { deadlineMs: START_DEADLINE_MS });
    return broker;
  }

  /** The same by the command line. */
  static async openCommand(definition: LaunchDefinition): Promise<LaunchLab> {
    const dir = await makeTempDir();
    const args = ["--serve-launch", dir.join("br.sock"), "--service-def-dir", dir.join("defs")];
    const command = runtimeCommand("deno", "cli.ts", args);
    const env = {
      ...command.env,
      RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1",
      XDG_STATE_HOME: dir.path,
    };
    return await LaunchLab.#start(dir, definition, { ...command, env });
  }

  static async #start(
    dir: TempDir,
    definition: LaunchDefinition,
    command: Required<ProcessCommand>,
  ): Promise<LaunchLab> {
    const isolation = BrokerIsolation.SHARED_BROKER;
    const fields = { serviceName: SERVICE, isolation, minVersion: "1.0.0", ...definition };
    await writeServiceDefinition(dir.join("defs"), create(ServiceDefinitionSchema, fields));
    // Endpoints of launched backends go there, and the notes of their starts.
    const env = { ...command.env, XDG_RUNTIME_DIR: dir.path };
    return new LaunchLab(dir, startProcess({ ...command, env }));
  }

  connect(
    options: { version?: string; deadlineMs?: number; broker?: string } = {},
  ): Promise<BackendConnection> {
    const broker = this.dir.join("br.sock");
    return connectToBackend({
      service: SERVICE,
      version: VERSION,
      broker,
      deadlineMs: START_DEADLINE_MS,
      ...options,
    });
  }

  /** Lets the next backend that starts, or all from now on, end with status 7 and these words. */
  crash(which: "next" | "all", words: string): void {
    writeFileSync(this.dir.join(which === "next" ? "crash" : "crash-always"), words);
  }

  /** Lets backends that start from now on wait until `release` is called. */
  hold(): { release(): void } {
    const path = this.dir.join("hold");
    writeFileSync(path, "");
    return { release: () => rmSync(path, { force: true }) };
  }

  /** The processes of all backends that were started so far, for scripts of ours. */
  get starts(): number[] {
    const path = this.dir.join("starts");
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map(Number) : [];
  }

  /** The events of a kind of the broker that was started last, so far. */
  events(kind: string): Record<string, unknown>[] {
    return this.broker.stdoutLines.filter(isEvent(kind)).map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    const launched = this.events("backend-launched").map(({ pid }) => Number(pid));
    for (const pid of new Set([...this.starts, ...launched])) killIfRunning(pid);
    await this.dir[Symbol.asyncDispose]();
  }
}

function brokerOptions(dir: TempDir) {
  return { endpoint: dir.join("br.sock"), serviceDefinitionDir: dir.join("defs"), launch: true };
}

/** Ends a process at once, if it still runs. */
export function killIfRunning(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Sends text and wants it back. */
export async function echo({ stream }: BackendConnection, text: string): Promise<string> {
  await stream.write(new TextEncoder().encode(text));
  let seen = "";
  while (seen.length < text.length) {
    const chunk = await stream.read();
    if (chunk === null) break;
    seen += new TextDecoder().decode(chunk);
  }
  return seen;
}
