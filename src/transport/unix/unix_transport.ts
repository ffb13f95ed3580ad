import type { Socket } from "node:net";
import process from "node:process";
import type { Native, NativeResult } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import { openFilesLimit } from "../../host/open_files_limit.ts";
import { connectSocket } from "../connect_net.ts";
import type { WaitOptions } from "../wait_options.ts";
import { checkSocketPath } from "../endpoint_limit.ts";
import type { LocalStream, PeerCredentials } from "../local_stream.ts";
import type { ListeningServer, ServerHooks } from "../listening_server.ts";
import { NetServer } from "../net_server.ts";
import { NetStream } from "../net_stream.ts";
import { type PublishOptions, publishSocket } from "../publish_socket.ts";
import { runtime } from "../runtime.ts";
import { socketFd } from "../socket_fd.ts";
import type { FileLockOutcome, ListenOptions, Transport } from "../transport.ts";
import { BunServer } from "./bun_server.ts";
import { connectBun } from "./bun_stream.ts";
import { UnixControlConnection } from "./control_connection.ts";
import { UnixDescriptorReserve } from "./descriptor_reserve.ts";
import { connectDeno } from "./deno_stream.ts";
import { DirectDialer } from "./direct_dialer.ts";
import { UnixDetachedConnection } from "./detached_connection.ts";
import { type AcceptedEnd, ownedEnd, PausedEnd } from "./detached_end.ts";
import { UnixIncomingConnection } from "./incoming_connection.ts";
import { UnixIncomingControl } from "./incoming_control.ts";
import { listenerCalls } from "./listener_calls.ts";
import type { ShownStream } from "../shown_stream.ts";

/** Unix sockets of `node:net`, with the native calls the runtimes lack. */
export function unixTransport(loaded: NativeResult): Transport {
  const native = () => {
    if (loaded.ok) return loaded.native;
    throw new BrokerError("unsupported", `Cannot pass, adopt or identify connections: ${loaded.reason}`);
  };
  const calls = loaded.ok ? listenerCalls(loaded.native) : undefined;
  const dialer = loaded.ok ? new DirectDialer(loaded.native) : undefined;
  return {
    ownUser: process.geteuid?.() ?? -1,
    nativeMissing: loaded.ok ? undefined : loaded.reason,
    // macOS may drop what is queued when receiving ends.
    canDrain: loaded.ok && process.platform === "linux",
    async connect(endpoint, options) {
      checkSocketPath(endpoint, process.platform);
      return dialer?.dial(endpoint, options) ?? await connectByRuntime(endpoint, options, dialer);
    },
    async connectDrainable(endpoint, options) {
      checkSocketPath(endpoint, process.platform);
      const { sockets } = native();
      const stream = dialer?.dial(endpoint, options) ?? await connectShown(endpoint, options);
      const stopReceiving = () => stream.fd !== undefined && sockets.shutdownReading(stream.fd).ok;
      return Object.assign(stream, { stopReceiving });
    },
    async connectWithPeer(endpoint, options) {
      const { peerCredentials } = native();
      const socket = await connectSocket(endpoint, options);
      const found = peerCredentials(socketFd(socket));
      if (found.ok) return { stream: new NetStream(socket), peer: found.peer };
      socket.destroy();
      throw new BrokerError(
        "os",
        `Cannot tell who serves "${endpoint}": the kernel gave no peer credentials`,
      );
    },
    listen: (endpoint, options, onStream) =>
      publishNet(
        endpoint,
        { ...options, calls },
        (socket) =>
          onStream(new NetStream(socket), () => loaded.ok ? peerOf(loaded.native, socket) : undefined),
      ),
    listenPassable: (endpoint, options, onConnection) =>
      publishSocket<AcceptedEnd>(endpoint, {
        ...options,
        calls,
        createServer: (hooks) => createPassableServer(loaded, hooks),
        onConnection: (end) => onConnection(new UnixIncomingConnection(native(), end)),
      }),
    keepDescriptors: (count) =>
      loaded.ok ? new UnixDescriptorReserve(loaded.native, count, openFilesLimit()) : undefined,
    copyConnection(fd) {
      const copy = native().sockets.duplicateFd(fd);
      if (copy.ok) return new UnixDetachedConnection(native(), ownedEnd(native().ownFd(copy.fd)));
      throw new BrokerError("os", `Cannot copy fd ${fd}: dup returned ${copy.name}`);
    },
    lockFile: (fd) => lockFile(native(), fd),
    fileLook: (path, known) => loaded.ok ? loaded.native.fileLook(path, known) : undefined,
    watchProcess(pid) {
      if (!loaded.ok) return undefined;
      const { processWatch, ownFd } = loaded.native;
      const opened = processWatch.open(pid);
      if (!opened.ok) return undefined;
      const fd = ownFd(opened.fd);
      return { hasEnded: () => processWatch.hasEnded(fd.fd), close: () => fd.close() };
    },
    connectionPair() {
      const calls = native();
      const pair = calls.socketPair();
      if (!pair.ok) throw new BrokerError("os", `Cannot make a connection: socketpair returned ${pair.name}`);
      const [passed, kept] = pair.fds.map((fd) =>
        new UnixDetachedConnection(calls, ownedEnd(calls.ownFd(fd)))
      );
      return { passed: passed!, kept: kept! };
    },
    async dialControl(endpoint, options) {
      const calls = native();
      const socket = await connectSocket(endpoint, options);
      const found = calls.peerCredentials(socketFd(socket));
      const problem = servedByAnother(found.ok ? found.peer : undefined, options.backendPid);
      if (problem === undefined) return new UnixControlConnection(calls, socket);
      socket.destroy();
      throw new BrokerError("peer-rejected", `Cannot hand over at "${endpoint}": it is served by ${problem}`);
    },
    listenControl: (endpoint, options, onControl) =>
      publishNet(
        endpoint,
        { ...options, calls },
        (socket) => onControl(new UnixIncomingControl(native(), socket)),
      ),
  };
}

function peerOf({ peerCredentials }: Native, socket: Socket): PeerCredentials | undefined {
  // Its descriptor may be another connection's by then.
  if (socket.destroyed) return undefined;
  const found = peerCredentials(socketFd(socket));
  return found.ok ? found.peer : undefined;
}

/** @returns Who serves the endpoint, if that is not who should; a pid of 0 is not known. */
function servedByAnother(
  peer: PeerCredentials | undefined,
  wantedPid: number | undefined,
): string | undefined {
  if (peer === undefined) return "an unknown process";
  if (peer.uid !== process.geteuid?.()) return `uid ${peer.uid}`;
  if (wantedPid === undefined || peer.pid === 0 || peer.pid === wantedPid) return undefined;
  return `process ${peer.pid}, the verified backend is process ${wantedPid}`;
}

/** A child with the descriptor would hold the lock as long as it runs. */
function lockFile({ lockFile, sockets }: Native, fd: number): FileLockOutcome {
  const kept = sockets.keepFromChildren(fd);
  if (!kept.ok) return { kind: "failed", detail: `ioctl gave ${kept.name} (${kept.errno})` };
  const locked = lockFile(fd);
  if (locked.kind !== "error") return locked;
  return { kind: "failed", detail: `flock gave ${locked.name} (${locked.errno})` };
}

/** By the fastest API of the runtime. */
async function connectByRuntime(
  endpoint: string,
  options: WaitOptions,
  dialer: DirectDialer | undefined,
): Promise<LocalStream> {
  if (runtime !== "deno") return await connectShown(endpoint, options);
  const stream = await connectDeno(endpoint, options);
  dialer?.allow(endpoint);
  return stream;
}

/** By the fastest API of the runtime that shows the descriptor as long as there is one. */
async function connectShown(endpoint: string, options: WaitOptions): Promise<ShownStream> {
  if (runtime === "bun") return await connectBun(endpoint, options);
  return new NetStream(await connectSocket(endpoint, options));
}

function publishNet(
  endpoint: string,
  options: ListenOptions & Pick<PublishOptions<Socket>, "calls">,
  onConnection: (socket: Socket) => void,
) {
  return publishSocket(endpoint, { ...options, createServer: (hooks) => new NetServer(hooks), onConnection });
}

/** Accepts by the fastest API of the runtime that shows descriptors. */
function createPassableServer(loaded: NativeResult, hooks: ServerHooks<AcceptedEnd>): ListeningServer {
  if (runtime === "bun" && loaded.ok) return new BunServer(loaded.native, hooks);
  return new NetServer({ ...hooks, accepted: (socket) => hooks.accepted(new PausedEnd(socket)) });
}
