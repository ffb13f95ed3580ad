import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { BrokerError } from "../errors.ts";
import { ExecutableHasher } from "../host/executable.ts";
import { isProcessAliveSync } from "../host/process_identity.ts";
import type { ProcessIdentity } from "../host/process_start.ts";
import { verifyProcess } from "../host/verify_process.ts";
import { askIdentity, PROBE_DEADLINE_MS } from "../transport/ask_identity.ts";
import { withDeadline } from "../transport/deadline.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { CacheManifest, DaemonProcess, Endpoint } from "../wire/gen/broker_v1_manifest_pb.ts";
import { BackendProbeError } from "./backend_probe_error.ts";
import { CONNECT_DEADLINE_MS_DEFAULT } from "./connect_backend_request.ts";

/** Milliseconds between two looks at a process that was asked to end; the reference's own step. */
const SHUTDOWN_POLL_MS = 20;

/** One for the process: an executable of 100 MB is hashed once. */
const hasher = new ExecutableHasher();

/** What a handle is for, besides the endpoint. */
export interface BackendHandleOptions {
  /** Name of the service, for people. @default {""} */
  service?: string;
  /** Version of the service, for people. @default {""} */
  version?: string;
  /** Milliseconds for the whole probe. @default {500} */
  deadlineMs?: number;
  /** Ends the probe early, with its reason. */
  signal?: AbortSignal;
}

/** A backend process whose identity was verified, to watch, reach and end (protocol 8.7). */
export class BackendHandle {
  /** Name of the service. */
  readonly service: string;
  /** Version of the service. */
  readonly version: string;
  /** Who the backend said it is, verified. */
  readonly daemonProcess: DaemonProcess;
  readonly #process: ProcessIdentity;

  private constructor(options: BackendHandleOptions, daemonProcess: DaemonProcess, process: ProcessIdentity) {
    this.service = options.service ?? "";
    this.version = options.version ?? "";
    this.daemonProcess = daemonProcess;
    this.#process = process;
  }

  /**
   * Verifies that an endpoint is served by the process that an identity names: the process first, then its
   * answer to a fresh nonce (protocol 8.4, 8.5).
   *
   * Requires `--allow-ffi` or `--allow-all` in Deno, as it reads `/proc`.
   *
   * @param endpoint Where the backend listens.
   * @param expected Who it has to be.
   * @param options How long to wait.
   * @throws {BackendProbeError} When the endpoint is another one or does not prove itself.
   * @throws {VerifyProcessError} When the process is not the one that is named.
   */
  static async probe(
    endpoint: Pick<Endpoint, "namespaceId" | "path">,
    expected: DaemonProcess,
    options: BackendHandleOptions = {},
  ): Promise<BackendHandle> {
    const place = expected.ipcEndpoint;
    if (place?.path !== endpoint.path || place.namespaceId !== endpoint.namespaceId) {
      throw new BackendProbeError(
        "EndpointMismatch",
        `the identity is of "${place?.path}", not of "${endpoint.path}"`,
      );
    }
    const found = await verifyProcess(expected, hasher);
    await exchange(endpoint.path, expected, options);
    return new BackendHandle(options, expected, found);
  }

  /**
   * Verifies the daemon that a manifest names.
   *
   * @returns `undefined` when the manifest names none.
   * @throws As {@linkcode BackendHandle.probe}.
   */
  static async probeManifest(
    manifest: CacheManifest,
    options: Omit<BackendHandleOptions, "service" | "version"> = {},
  ): Promise<BackendHandle | undefined> {
    const { currentDaemon, serviceName: service, serviceVersion: version } = manifest;
    if (currentDaemon?.ipcEndpoint === undefined) return undefined;
    return await BackendHandle.probe(currentDaemon.ipcEndpoint, currentDaemon, {
      ...options,
      service,
      version,
    });
  }

  /** Whether the process still runs, by the kernel's word; the backend itself is not asked. */
  isAlive(): boolean {
    return isProcessAliveSync(this.#process);
  }

  /** Connects to the backend's endpoint. */
  async connect(options: { deadlineMs?: number; signal?: AbortSignal } = {}): Promise<LocalStream> {
    const transport = await loadTransport();
    const deadlineMs = options.deadlineMs ?? CONNECT_DEADLINE_MS_DEFAULT;
    return await transport.connect(this.daemonProcess.ipcEndpoint?.path ?? "", {
      deadlineMs,
      signal: options.signal,
    });
  }

  /**
   * Asks the process to end (SIGTERM) and waits until it has.
   *
   * @throws {BrokerError} With code "deadline" when it still runs then.
   */
  async shutdown(options: { deadlineMs: number; signal?: AbortSignal }): Promise<void> {
    this.#signal("SIGTERM");
    const end = performance.now() + options.deadlineMs;
    while (this.isAlive()) {
      options.signal?.throwIfAborted();
      if (performance.now() >= end) {
        throw new BrokerError(
          "deadline",
          `Process ${this.#process.pid} still runs ${options.deadlineMs} ms after SIGTERM`,
        );
      }
      await delay(SHUTDOWN_POLL_MS);
    }
  }

  /** Ends the process at once (SIGKILL). */
  forceKill(): void {
    this.#signal("SIGKILL");
  }

  /** Never signals a later process that has the same number. */
  #signal(name: "SIGTERM" | "SIGKILL"): void {
    if (this.isAlive()) process.kill(this.#process.pid, name);
  }
}

async function exchange(path: string, expected: DaemonProcess, options: BackendHandleOptions): Promise<void> {
  const wait = { deadlineMs: options.deadlineMs ?? PROBE_DEADLINE_MS, signal: options.signal };
  const transport = await loadTransport();
  const result = await withDeadline(`probe "${path}"`, wait, async (signal) => {
    const step = { kind: "Connect" as "Connect" | "Io" };
    try {
      const stream = await transport.connect(path, { ...wait, signal });
      step.kind = "Io";
      try {
        return await askIdentity(stream, expected, signal);
      } finally {
        stream.close();
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new BackendProbeError(signal.aborted ? "Timeout" : step.kind, (error as Error).message, {
        cause: error,
      });
    }
  });
  if (!result.ok) throw new BackendProbeError(result.kind, result.detail);
}
