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
export type { CancelSignal } from "./src/cancel_signal.ts";
export { connectToBackend } from "./src/client/connect_to_backend.ts";
export {
  type ConnectBackendRequest,
  DEFAULT_HANDOFF_READY_TIMEOUT_MS,
  type EarlyRequest,
} from "./src/client/connect_backend_request.ts";
export { RUNNING_PROCESS_FAKE_BACKEND_ENV } from "./src/client/fake_backend_env.ts";
export type { ClientEvent, ClientObserver } from "./src/client/client_event.ts";
export {
  BackendConnection,
  type BackendConnectionParts,
  type BackendConnectionRoute,
} from "./src/client/backend_connection.ts";
export {
  BrokerClientError,
  type BrokerClientErrorKind,
  type ClientRefusal,
} from "./src/client/client_error.ts";
export {
  brokerDisabledByEnv,
  RUNNING_PROCESS_DISABLE_ENV,
  RUNNING_PROCESS_DISABLE_VALUE,
} from "./src/client/disable_env.ts";
export { BrokerDisableEnvError } from "./src/client/disable_env_error.ts";
export { FrameClient, type FrameRequestOptions } from "./src/client/frame_client.ts";
export { BackendHandle, type BackendHandleOptions } from "./src/client/backend_handle.ts";
export { BackendProbeError, type BackendProbeErrorKind } from "./src/client/backend_probe_error.ts";
export { FrameClientError, type FrameClientErrorKind } from "./src/client/frame_client_error.ts";
export { type AdminRequestOptions, sendAdminRequest } from "./src/client/admin_request.ts";
export { connectLocalSocket } from "./src/client/connect_local_socket.ts";
export { Broker, type BrokerCounts } from "./src/broker/broker.ts";
export { serveBroker } from "./src/broker/serve_broker.ts";
export type { RegisteredBackendOptions, ServeBrokerOptions } from "./src/broker/serve_broker_options.ts";
export type { BackendKey } from "./src/broker/backend_registry.ts";
export type { BrokerEvent, BrokerObserver } from "./src/broker/broker_event.ts";
export type { ConnectionLimit } from "./src/broker/limits/connection_limits.ts";
export type {
  BroadcastFailureReason,
  BroadcastOptions,
  BroadcastReport,
} from "./src/broker/lifecycle/broadcast.ts";
export type { BackendOrder, QuiesceReason } from "./src/wire/backend_order.ts";
export { BACKEND_ORDER_PAYLOAD_PROTOCOL } from "./src/wire/backend_order.ts";
export type { Clock } from "./src/broker/clock.ts";
export { executeUnixHandoff, type ExecuteUnixHandoffOptions } from "./src/broker/execute_unix_handoff.ts";
export {
  type HandoffStream,
  WireHandoffDelivery,
  type WireHandoffDeliveryParts,
} from "./src/broker/wire_handoff_delivery.ts";
export { Backend, serveBackend } from "./src/backend/serve_backend.ts";
export type { ServeBackendOptions } from "./src/backend/serve_backend_options.ts";
export { type ConnectionOrigin, ServedConnection } from "./src/backend/served_connection.ts";
export type { BackendEvent, BackendObserver } from "./src/backend/backend_event.ts";
export { LocalConnection } from "./src/transport/local_connection.ts";
export type { LocalStream, PeerCredentials } from "./src/transport/local_stream.ts";

// Handoff: tokens, acknowledgements, fallback, orchestration (protocol 7).
export * from "./src/handoff/accept_handed_off.ts";
export * from "./src/handoff/ack_registry.ts";
export {
  type AckWait,
  type BookedAck,
  type ConnectionOwner,
  type HandoffAckWait,
  type HandoffBooks,
} from "./src/handoff/ack_wait.ts";
export * from "./src/handoff/fallback_state.ts";
export {
  attemptFailureOf,
  fallBack,
  HANDOFF_FALLBACK_REASONS,
  type HandoffAttemptFailure,
  type HandoffFallbackDecision,
  type HandoffFallbackReason,
} from "./src/handoff/fallback_reason.ts";
export * from "./src/handoff/handoff_token.ts";
export * from "./src/handoff/token_store.ts";
export * from "./src/handoff/token_error.ts";
export * from "./src/handoff/latency.ts";
export * from "./src/handoff/pending_queue.ts";
export type { AdoptCloseReason } from "./src/handoff/adopt_plan.ts";
export type { RelayHandoffStage } from "./src/handoff/relay_plan.ts";
export * from "./src/handoff/orchestrate_unix.ts";
export * from "./src/handoff/orchestrate_windows.ts";
export * from "./src/handoff/scm_rights_error.ts";
export * from "./src/handoff/duplicate_handle_error.ts";

// The wire: framing, frames, messages, usable without I/O (protocol 1, 2).
export * from "./src/wire/admin_frames.ts";
export * from "./src/wire/constants.ts";
export { differingIdentityField, type IdentityField, identityProblem } from "./src/wire/daemon_process.ts";
export * from "./src/wire/envelope.ts";
export * from "./src/wire/error_code.ts";
export {
  createFirstFrameReader,
  type FirstFrame,
  type FirstFrameReader,
} from "./src/wire/first_frame_reader.ts";
export { createFrameDecoder, type FrameDecoder, type FrameDecoderOptions } from "./src/wire/frame_decoder.ts";
export {
  type EchoedFields,
  eventFrame,
  requestFrame,
  responseTo,
  withDeadline,
  withRequestId,
  withTrace,
} from "./src/wire/frames.ts";
export * from "./src/wire/framing.ts";
export { type FramePart, FramingError, type FramingErrorKind } from "./src/wire/framing_error.ts";
export * from "./src/wire/handoff_frames.ts";
export * from "./src/wire/hello.ts";
export * from "./src/wire/hello_reply.ts";
export * from "./src/wire/mux.ts";
export * from "./src/wire/payload_protocol.ts";
export * from "./src/wire/probe.ts";
export { type ByteSource, readFrame, type ReadFrameOptions } from "./src/wire/read_frame.ts";
export { decodeStrict, encodeMessage, tryDecodeStrict } from "./src/wire/strict_decode.ts";
export { WireDecodeError, type WireDecodeErrorKind } from "./src/wire/wire_decode_error.ts";
export * from "./src/wire/gen/broker_v1_envelope_pb.ts";
export * from "./src/wire/gen/broker_v1_admin_pb.ts";
export * from "./src/wire/gen/broker_v1_manifest_pb.ts";
export * from "./src/wire/gen/broker_v1_service_def_pb.ts";

// Names, service definitions, manifests and identities (protocol 3, 4, 8, 9).
export * from "./src/naming/broker_instance.ts";
export {
  crashDumpDirectory,
  daemonDataDirectory,
  type DirectoryChoice,
  manifestDirectory,
  serviceDefinitionDirectory,
} from "./src/naming/directories.ts";
export * from "./src/naming/endpoint_address.ts";
export * from "./src/naming/endpoint_name.ts";
export { EndpointNameError, type EndpointNameErrorKind } from "./src/naming/endpoint_name_error.ts";
export { endpointDirectory, endpointPath, PIPE_PREFIX } from "./src/naming/endpoint_path.ts";
export { hash16 } from "./src/naming/hash16.ts";
export { type Environment, type HostValues, type Platform } from "./src/naming/platform.ts";
export { unixUserIdentity, userHash, windowsUserIdentity } from "./src/naming/user_identity.ts";
export * from "./src/host/boot_id.ts";
export { currentDaemonIdentity, type DaemonIdentityOptions } from "./src/host/daemon_identity.ts";
export type { DigestAlgorithm } from "./src/host/daemon_digest.ts";
export { ExecutableHasher } from "./src/host/executable.ts";
export { hostIdentity, isSameHost } from "./src/host/host_identity.ts";
export * from "./src/host/identity_file.ts";
export type { DirectoryAccess } from "./src/host/private_directory.ts";
export type { ProcessIdentity } from "./src/host/process_start.ts";
export type { SystemAccess } from "./src/host/system_access.ts";
export * from "./src/host/user.ts";
export * from "./src/host/verify_process.ts";
export {
  type InstalledServiceDefinition,
  type InstallOptions,
  installServiceDefinition,
} from "./src/service/install_service_definition.ts";
export { CacheManifestBuilder } from "./src/service/manifest_builder.ts";
export { ManifestError, type ManifestErrorKind } from "./src/service/manifest_error.ts";
export { readManifest, writeManifest, writeManifestToRoot } from "./src/service/manifest_file.ts";
export * from "./src/service/manifest_registry.ts";
export * from "./src/service/manifest_seal.ts";
export { ServiceDefinitionBuilder } from "./src/service/service_definition_builder.ts";
export {
  ServiceDefinitionError,
  type ServiceDefinitionErrorKind,
} from "./src/service/service_definition_error.ts";
export {
  readServiceDefinition,
  serviceDefinitionPath,
  writeServiceDefinition,
} from "./src/service/service_definition_file.ts";
export {
  ServiceDefinitionLoader,
  type ServiceDefinitionLoaderOptions,
} from "./src/service/service_definition_loader.ts";
export { validateServiceDefinition } from "./src/service/validate_service_definition.ts";
export { checkVersionAllowed, type VersionBlock, type VersionPolicy } from "./src/service/version_policy.ts";
