/**
 * Client, broker and backend of the running-process v1 broker protocol.
 *
 * A command-line tool finds its warm daemon through a per-user broker; the tool's own connection is
 * handed over to the daemon when both sides can.
 *
 * @example A tool
 * ```ts
 * import { connectToBackend } from "@running-process/broker";
 *
 * await using session = await connectToBackend({
 *   service: "my-daemon",
 *   version: "1.2.3",
 *   broker: Deno.env.get("MY_BROKER_SOCKET")!,
 * });
 * console.log(session.route);
 * ```
 *
 * @module
 */
export { BrokerError, type BrokerErrorCode } from "./src/errors.ts";
export { connectToBackend } from "./src/client/connect_to_backend.ts";
export type { ConnectOptions } from "./src/client/connect_options.ts";
export type { ClientEvent, ClientObserver } from "./src/client/client_event.ts";
export { BackendSession, type ConnectionRoute, type SessionParts } from "./src/client/backend_session.ts";
export {
  BrokerClientError,
  type BrokerClientErrorKind,
  type ClientRefusal,
} from "./src/client/client_error.ts";
export { brokerDisabledByEnv } from "./src/client/disable_env.ts";
export { type AdminRequestOptions, sendAdminRequest } from "./src/client/admin_request.ts";
export { connectLocalSocket } from "./src/client/connect_local_socket.ts";
export { Broker, type BrokerCounts } from "./src/broker/broker.ts";
export { serveBroker } from "./src/broker/serve_broker.ts";
export type { RegisteredBackendOptions, ServeBrokerOptions } from "./src/broker/serve_broker_options.ts";
export type { BrokerEvent, BrokerObserver } from "./src/broker/broker_event.ts";
export { Backend, serveBackend, type ServeBackendOptions } from "./src/backend/serve_backend.ts";
export { BackendConnection, type ConnectionOrigin } from "./src/backend/backend_connection.ts";
export type { BackendEvent, BackendObserver } from "./src/backend/backend_event.ts";
export { LocalConnection } from "./src/transport/local_connection.ts";
export type { LocalStream, PeerCredentials } from "./src/transport/local_stream.ts";
