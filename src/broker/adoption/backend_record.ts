// This module has no I/O.
import { BrokerError } from "../../errors.ts";
import { parseIdentity, renderIdentity } from "../../host/identity_json.ts";
import type { ProcessIdentity } from "../../host/process_start.ts";
import type { DaemonProcess } from "../../wire/gen/broker_v1_manifest_pb.ts";
import type { BackendKey, RegisteredBackend } from "../backend_registry.ts";

/** What a record says of itself; another number is another layout. */
const RECORD_FORMAT = 1;

/** What is on disk of a launched backend, so that a later broker finds it. */
export interface BackendRecord {
  /** What it is found by. */
  readonly key: BackendKey;
  /** The endpoint that clients dial and that answers probes. */
  readonly endpoint: string;
  /** Where connections can be passed to; `undefined` when it takes none. */
  readonly handoffEndpoint: string | undefined;
  /** Its process. */
  readonly process: ProcessIdentity;
  /** What it was started as: a definition that says something else now does not mean this process. */
  readonly command: RecordedCommand;
  /** What it said of itself when it was launched. */
  readonly identity: DaemonProcess;
}

/** What a backend was started as. */
export interface RecordedCommand {
  /** The executable, without links. */
  readonly executable: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/** The record of a backend that has proved itself. */
export function recordOf(backend: RegisteredBackend, command: RecordedCommand): BackendRecord {
  const { key, backendPipe, handoffEndpoint, process, identity } = backend;
  return { key, endpoint: backendPipe, handoffEndpoint, process, command, identity };
}

/** Whether a backend was started as a definition wants it now. */
export function isSameCommand(a: RecordedCommand, b: RecordedCommand): boolean {
  return a.executable === b.executable && a.args.length === b.args.length &&
    a.args.every((arg, index) => arg === b.args[index]);
}

/**
 * The text of a record: JSON, the identity in it as in an identity file (protocol 8.3).
 *
 * @throws {IdentityError} When the identity lacks its endpoint or a digest.
 */
export function renderRecord(record: BackendRecord): string {
  const { key, endpoint, handoffEndpoint = null, command, identity } = record;
  const { pid, startMark } = record.process;
  return JSON.stringify(
    {
      format: RECORD_FORMAT,
      service: key.service,
      version: key.version,
      instance_id: key.instanceId,
      endpoint,
      handoff_endpoint: handoffEndpoint,
      pid,
      start_mark: startMark,
      executable: command.executable,
      args: command.args,
      identity: JSON.parse(renderIdentity(identity)),
    },
    null,
    2,
  );
}

/**
 * The record in a text.
 *
 * @throws {BrokerError} With code "protocol" when the text is no record, or contradicts itself.
 */
export function parseRecord(text: string): BackendRecord {
  const value = parseJson(text);
  if (value["format"] !== RECORD_FORMAT) throw wrong(`its format is no ${RECORD_FORMAT}`);
  const field = (name: string) => {
    const found = value[name];
    if (typeof found === "string" && found !== "") return found;
    throw wrong(`"${name}" is missing or no text`);
  };
  const { handoff_endpoint: handoffEndpoint, args, pid } = value;
  if (handoffEndpoint !== null && typeof handoffEndpoint !== "string") {
    throw wrong(`"handoff_endpoint" is neither text nor null`);
  }
  if (!isTexts(args)) throw wrong(`"args" is no list of texts`);
  const identity = parseIdentity(JSON.stringify(value["identity"] ?? null));
  const record = {
    key: { instanceId: field("instance_id"), service: field("service"), version: field("version") },
    endpoint: field("endpoint"),
    handoffEndpoint: handoffEndpoint ?? undefined,
    process: { pid: identity.pid, startMark: field("start_mark") },
    command: { executable: field("executable"), args },
    identity,
  };
  const place = identity.ipcEndpoint;
  if (pid !== identity.pid) throw wrong("its process is not the one of its identity");
  if (place?.path !== record.endpoint || place.namespaceId !== record.key.instanceId) {
    throw wrong("its endpoint is not the one of its identity");
  }
  return record;
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BrokerError("protocol", "Cannot read the record of a backend: it is no JSON", { cause });
  }
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw wrong("it is no JSON object");
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function wrong(seen: string): BrokerError {
  return new BrokerError("protocol", `Cannot read the record of a backend: ${seen}`);
}
