import { lstat, unlink } from "node:fs/promises";
import { type CancelSignal, CancelSource } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import type { ExecutableHasher } from "../../host/executable.ts";
import { isProcessAlive, processIdentity } from "../../host/process_identity.ts";
import type { ProcessIdentity } from "../../host/process_start.ts";
import { endpointPath } from "../../naming/endpoint_path.ts";
import type { HostValues } from "../../naming/platform.ts";
import { ensurePrivateParent } from "../../transport/private_parent.ts";
import type { Transport } from "../../transport/transport.ts";
import type { BackendRequest } from "../backend_source.ts";
import type { RegisteredBackend } from "../backend_registry.ts";
import type { Clock } from "../clock.ts";
import { proveBackend, type ProvenBackend } from "../backend_probe.ts";
import type { EndpointAllocator } from "./endpoint_allocator.ts";
import type { RecordedBackends } from "../adoption/recorded_backends.ts";
import { launchCommand } from "./launch_command.ts";
import { type BrokerPlace, launchEnvironment } from "./launch_environment.ts";
import { LaunchError } from "./launch_error.ts";
import { launchLabels } from "./launch_labels.ts";
import { type ChildExit, launchChild, type LaunchedChild } from "./launched_child.ts";
import { sleep } from "../../sleep.ts";
import { nextSpawnWaitStep, SPAWN_WAIT_CEILING_MS } from "./spawn_wait.ts";
import { StderrTail } from "./stderr_tail.ts";

/** Milliseconds one look at an endpoint may take: a child that has bound it may still hash its executable. */
const LOOK_DEADLINE_MS = 5_000;

/** What launching needs. */
export interface CommandLauncherParts {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** Hashes executables, each state of a file once. */
  readonly hasher: ExecutableHasher;
  /** Where endpoint names come from. */
  readonly allocator: EndpointAllocator;
  /** Where endpoints lie, and the environment that children get a part of. */
  readonly host: HostValues;
  /** The broker, as backends are told of it. */
  readonly broker: BrokerPlace;
  /** Where backends that have proved themselves are put on record, until they end. */
  readonly records: Pick<RecordedBackends, "keep" | "forget">;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Fires when the broker stops for good: children that have not proved themselves are ended. */
  readonly signal: CancelSignal;
  /** Milliseconds a child has to prove itself. @default {60000} */
  readonly ceilingMs?: number;
}

/** The endpoints of one launch. */
interface Places {
  readonly endpoint: string;
  readonly handoffEndpoint: string;
  release(): void;
}

/** A child that has not proved itself yet. */
interface StartingChild {
  readonly child: LaunchedChild;
  readonly executable: string;
  readonly places: Places;
  readonly namespaceId: string;
  readonly stderr: StderrTail;
}

/** What a launch has made so far, and its end has to clear. */
interface Launched {
  readonly child: LaunchedChild | undefined;
  readonly places: Places;
  readonly stderr: StderrTail | undefined;
  readonly backend: RegisteredBackend | undefined;
}

/** Starts backends as processes of their own and lets them prove that it is they who serve (protocol 6.10). */
export class CommandLauncher {
  readonly #parts: CommandLauncherParts;

  /** Makes a launcher that has started nothing. */
  constructor(parts: CommandLauncherParts) {
    this.#parts = parts;
  }

  /**
   * Starts the backend of a key and waits until it serves. A child that does not is ended.
   *
   * @throws {BrokerError} When it cannot be started, ends, does not serve in time or is not what it should be.
   */
  async launch(request: BackendRequest): Promise<RegisteredBackend> {
    const { signal, host } = this.#parts;
    signal.throwIfAborted();
    const { key, definition } = request;
    const command = await launchCommand(definition, host.environment["PATH"] ?? "");
    const places = this.#allocate(key.instanceId);
    let stderr: StderrTail | undefined;
    let child: LaunchedChild | undefined;
    let backend: RegisteredBackend | undefined;
    try {
      await ensurePrivateParent(places.endpoint);
      stderr = new StderrTail(`${places.endpoint}.err`);
      child = await launchChild(command, this.#environment(request, places), stderr.fd);
      const { executable } = command;
      const proven = await this.#prove({ child, executable, places, namespaceId: key.instanceId, stderr });
      const handoffEndpoint = await handoffEndpointOf(places);
      backend = {
        key,
        daemonVersion: key.version,
        backendPipe: places.endpoint,
        serverCapabilities: 0n,
        handoffEndpoint,
        ...proven,
      };
      await this.#parts.records.keep(backend, command);
      signal.throwIfAborted();
      if (!await isProcessAlive(backend.process)) throw exited(await child.exited, stderr.read());
      stderr.keepSmall(signal);
      child.letGo();
      void this.#afterItsEnd({ child, places, stderr, backend });
      return backend;
    } catch (error) {
      child?.kill();
      await this.#afterItsEnd({ child, places, stderr, backend });
      throw error;
    }
  }

  /** The names were made for this process alone, so that nobody else's can be removed with them. */
  async #afterItsEnd({ child, places, stderr, backend }: Launched): Promise<void> {
    await child?.exited;
    stderr?.[Symbol.dispose]();
    if (backend !== undefined) this.#parts.records.forget(backend);
    for (const path of [places.endpoint, places.handoffEndpoint]) {
      // Most often it has removed them itself.
      await unlink(path).catch(() => {});
    }
    places.release();
  }

  #allocate(namespaceId: string): Places {
    const { allocator, host } = this.#parts;
    const names: string[] = [];
    const release = () => names.forEach((name) => allocator.release(namespaceId, name));
    const place = () => {
      const name = allocator.allocate(namespaceId);
      names.push(name);
      return endpointPath(name, host);
    };
    try {
      return { endpoint: place(), handoffEndpoint: place(), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #environment(
    { key, definition, frame }: BackendRequest,
    { endpoint, handoffEndpoint }: Places,
  ): Record<string, string> {
    return launchEnvironment(this.#parts.host.environment, {
      service: key.service,
      version: key.version,
      endpoint,
      handoffEndpoint,
      instanceId: key.instanceId,
      broker: this.#parts.broker,
      idleTimeoutSecs: launchLabels(definition.labels).idleTimeoutSecs,
      traceparent: frame.traceparent,
      tracestate: frame.tracestate,
    });
  }

  /** Looks at the endpoint until the child has proved itself there, has ended, or has had its time. */
  async #prove(starting: StartingChild): Promise<ProvenBackend> {
    const { clock, signal, ceilingMs = SPAWN_WAIT_CEILING_MS } = this.#parts;
    const { child, stderr } = starting;
    const startMs = clock();
    const started = await processIdentity(child.pid);
    // A process that is not there any more was seen to end, or will be in a moment.
    if (started === undefined) await child.exited;
    const seenSoFar: string[] = [];
    for (let sleeps = 0;; sleeps++) {
      const seen = await this.#look(starting, ceilingMs - (clock() - startMs));
      if (typeof seen === "string" && seen !== seenSoFar.at(-1)) seenSoFar.push(seen);
      const isEndpointReady = typeof seen !== "string";
      const hasExited = child.exit !== undefined;
      const elapsedMs = clock() - startMs;
      const step = nextSpawnWaitStep({ isEndpointReady, hasExited, elapsedMs, sleeps }, ceilingMs);
      switch (step.kind) {
        case "ready":
          return requireChild(seen as ProvenBackend, child.pid, started);
        case "exited":
          throw exited(child.exit!, stderr.read());
        case "timeout":
          throw tooLate(ceilingMs, seenSoFar);
        case "sleep":
          await sleep(step.sleepMs, signal, child.exited);
      }
    }
  }

  /** @returns Who serves, or why that is not known yet. */
  async #look(starting: StartingChild, remainingMs: number): Promise<ProvenBackend | string> {
    const { transport, hasher, signal } = this.#parts;
    const { child, executable, places, namespaceId } = starting;
    const end = new CancelSource();
    const abort = () => end.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    void child.exited.then(() => end.abort(new BrokerError("closed", "The launched process has ended")));
    try {
      return await proveBackend(
        transport,
        hasher,
        { endpoint: places.endpoint, namespaceId, binaryPath: executable },
        { deadlineMs: Math.max(1, Math.min(LOOK_DEADLINE_MS, remainingMs)), signal: end },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (BrokerError.is(error) && NOT_READY.has(error.code)) return error.message;
      // Whatever it said last, that it has ended says more.
      if (await processIdentity(child.pid) !== undefined) throw error;
      await child.exited;
      return (error as Error).message;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

/** What a look at an endpoint meets while its process starts; all else is somebody who is not the backend. */
const NOT_READY: ReadonlySet<string> = new Set(["os", "deadline", "closed"]);

function requireChild(
  proven: ProvenBackend,
  pid: number,
  started: ProcessIdentity | undefined,
): ProvenBackend {
  if (proven.process.pid === pid && proven.process.startMark === started?.startMark) return proven;
  throw new LaunchError(
    "NotTheChild",
    `process ${proven.process.pid} serves the backend's endpoint, wanted the launched process ${pid}`,
  );
}

/** The last look was cut short by the ceiling, which hides what the one before it met. */
function tooLate(ceilingMs: number, seenSoFar: readonly string[]): LaunchError {
  const seen = seenSoFar.slice(-2).join(", then ");
  return new LaunchError("Timeout", `backend did not serve its endpoint within ${ceilingMs} ms: ${seen}`);
}

function exited({ code, signal }: ChildExit, stderr: string): LaunchError {
  const how = code === null ? `was ended by ${signal}` : `exited with status ${code}`;
  const said = stderr === "" ? "" : `; stderr: ${stderr}`;
  return new LaunchError("Exited", `backend process ${how} before it served its endpoint${said}`);
}

/** A backend that takes handoffs has bound that endpoint before the one it was asked on. */
async function handoffEndpointOf({ handoffEndpoint }: Places): Promise<string | undefined> {
  try {
    return (await lstat(handoffEndpoint)).isSocket() ? handoffEndpoint : undefined;
  } catch {
    // It is not there: a backend that knows nothing of it, or has no native calls.
    return undefined;
  }
}
