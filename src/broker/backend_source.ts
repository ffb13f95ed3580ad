// This module has no I/O.
import type { Frame } from "../wire/gen/broker_v1_envelope_pb.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import type { BackendKey, RegisteredBackend } from "./backend_registry.ts";
import type { HelloRoute } from "./hello_handler.ts";

/** A Hello that no live backend is registered for. */
export interface BackendRequest {
  /** What the backend is to be found by. */
  readonly key: BackendKey;
  /** The definition of its service, as it is on disk now. */
  readonly definition: Readonly<ServiceDefinition>;
  /** The frame of the Hello, with the client's deadline and trace. */
  readonly frame: Pick<Frame, "deadlineUnixMs" | "traceparent" | "tracestate">;
}

/** Where a broker gets the backends from that it does not have: it knows one, or starts them. */
export interface BackendSource {
  /** Finds a backend and registers it, or says why there is none. Never rejects. */
  obtain(request: BackendRequest): Promise<HelloRoute<RegisteredBackend>>;
}
