import type { Socket } from "node:net";
import process from "node:process";
import type { Native, NativeResult } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import { connectSocket } from "../connect_net.ts";
import type { WaitOptions } from "../wait_options.ts";
import { checkSocketPath } from "../endpoint_limit.ts";
import type { LocalStream, PeerCredentials } from "../local_stream.ts";
import { NetStream } from "../net_stream.ts";
import { type PublishOptions, publishSocket } from "../publish_socket.ts";
import { runtime } from "../runtime.ts";
import { socketFd } from "../socket_fd.ts";
import type { ListenOptions, Transport } from "../transport.ts";
import { connectBun } from "./bun_stream.ts";
import { UnixControlConnection } from "./control_connection.ts";
import { connectDeno } from "./deno_stream.ts";
import { UnixDetachedConnection } from "./detached_connection.ts";
import { UnixIncomingConnection } from "./incoming_connection.ts";
import { UnixIncomingControl } from "./incoming_control.ts";

/** Unix sockets of `node:net`, with the native calls the runtimes lack. */
export function unixTransport(loaded: NativeResult): Transport {
  const native = () => {
    if (loaded.ok) return loaded.native;
    throw new BrokerError("unsupported", `Cannot pass, adopt or identify connections: ${loaded.reason}`);
  };
  const keepFromChildren = loaded.ok ? createKeeper(loaded.native) : undefined;
  return {
    ownUser: process.geteuid?.() ?? -1,
    nativeMissing: loaded.ok ? undefined : loaded.reason,
    connect,
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
      publishSocket(endpoint, {
        ...options,
        keepFromChildren,
        pauseOnConnect: true,
        onConnection: (socket) => onStream(new NetStream(socket)),
      }),
    listenPassable: (endpoint, options, onConnection) =>
      publishNative(
        endpoint,
        { ...options, keepFromChildren },
        (socket) => onConnection(new UnixIncomingConnection(native(), socket)),
      ),
    copyConnection(fd) {
      const copy = native().sockets.duplicateFd(fd);
      if (copy.ok) return new UnixDetachedConnection(native(), native().ownFd(copy.fd));
      throw new BrokerError("os", `Cannot copy fd ${fd}: dup returned ${copy.name}`);
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
      publishNative(
        endpoint,
        { ...options, keepFromChildren },
        (socket) => onControl(new UnixIncomingControl(native(), socket)),
      ),
  };
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

async function connect(endpoint: string, options: WaitOptions): Promise<LocalStream> {
  checkSocketPath(endpoint, process.platform);
  switch (runtime) {
    case "deno":
      return await connectDeno(endpoint, options);
    case "bun":
      return await connectBun(endpoint, options);
    case "node":
      return new NetStream(await connectSocket(endpoint, options));
  }
}

function publishNative(
  endpoint: string,
  options: ListenOptions & Pick<PublishOptions, "keepFromChildren">,
  onSocket: (socket: Socket) => void,
) {
  return publishSocket(endpoint, { ...options, pauseOnConnect: true, onConnection: onSocket });
}

function createKeeper({ sockets }: Native): (fd: number) => void {
  return (fd) => {
    const done = sockets.keepFromChildren(fd);
    if (done.ok) return;
    throw new BrokerError(
      "os",
      `Cannot keep a listener from children: ioctl gave ${done.name} (${done.errno})`,
    );
  };
}
