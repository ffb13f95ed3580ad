import type { MessageInitShape } from "@bufbuild/protobuf";
import { type BackendConnection, type ConnectBackendRequest, connectToBackend } from "../../mod.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { decodeHello } from "../../src/wire/first_frame.ts";
import {
  type Frame,
  FrameSchema,
  type Hello,
  type NegotiatedSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeNegotiatedReply } from "../../src/wire/hello.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { WAIT } from "../support/waiting.ts";
import { echo } from "./echo.ts";

/** What a broker does with a client whose Hello it has read; the stream is closed behind it. */
export type BrokerScript = (client: HeardClient) => void | Promise<void>;

/** A client whose Hello was read. */
export interface HeardClient {
  readonly stream: LocalStream;
  readonly hello: Hello;
  readonly frame: Frame;
  /** A reply that sends the client to the echoing backend; fields may differ. */
  reply(fields?: MessageInitShape<typeof NegotiatedSchema>): Uint8Array<ArrayBuffer>;
  /** Waits until the client has left. */
  left(): Promise<void>;
}

/** A broker that does as it is told, and a backend that echoes. */
export interface ScriptedBroker extends AsyncDisposable {
  readonly dir: TempDir;
  readonly endpoint: string;
  readonly backendEndpoint: string;
  readonly hellos: readonly Hello[];
  /** Connects a client of this process to it. */
  connect(options?: Partial<ConnectBackendRequest>): Promise<BackendConnection>;
}

/** Starts both. Without a script that reads the Hello, `onStream` takes connections as they come. */
export async function startScriptedBroker(
  script: BrokerScript,
  onStream?: (stream: LocalStream) => void,
): Promise<ScriptedBroker> {
  const transport = await loadTransport();
  const dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  const backendEndpoint = dir.join("be.sock");
  const hellos: Hello[] = [];
  const open = new Set<LocalStream>();
  const serve = async (stream: LocalStream) => {
    open.add(stream);
    if (onStream !== undefined) return onStream(stream);
    try {
      const client = await hear(stream, backendEndpoint);
      if (client === undefined) return;
      hellos.push(client.hello);
      await script(client);
    } finally {
      stream.close();
    }
  };
  const backend = await transport.listen(backendEndpoint, {}, (stream) => void echo(stream));
  const broker = await transport.listen(endpoint, {}, (stream) => void serve(stream));
  return {
    dir,
    endpoint,
    backendEndpoint,
    hellos,
    connect: (options) =>
      connectToBackend({
        service: SERVICE,
        version: VERSION,
        broker: endpoint,
        deadlineMs: WAIT.deadlineMs,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      for (const stream of open) stream.close();
      await broker.close();
      await backend.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** @returns `undefined` when the client has left before its Hello. */
async function hear(stream: LocalStream, backendPipe: string): Promise<HeardClient | undefined> {
  const body = await readFrame(stream).catch(() => undefined);
  if (body === undefined) return undefined;
  const frame = decodeStrict(FrameSchema, body);
  const opened = decodeHello(frame);
  if (!opened.ok) throw new Error(`No Hello: ${opened.refusal.reason}`);
  return {
    stream,
    frame,
    hello: opened.hello,
    reply: (fields) =>
      encodeNegotiatedReply(frame, { daemonVersion: VERSION, backendPipe, connectionId: 5n, ...fields }),
    async left() {
      while (await stream.read().catch(() => null) !== null);
    },
  };
}
