// This module has no I/O.
import type { AdminSnapshot } from "./admin_snapshot.ts";
import { type AdminReplyBody, jsonReply } from "./reply_body.ts";

/** The service that is asked for when the request names none. */
const UNNAMED_SERVICE = "unknown";

/** BACKEND_HEALTH: the backends of one service. */
export function backendHealthReply(serviceName: string, snapshot: AdminSnapshot): AdminReplyBody {
  const asked = serviceName === "" ? UNNAMED_SERVICE : serviceName;
  return jsonReply("backend-health", snapshot, {
    backends: snapshot.backends.filter((backend) => backend.serviceName === asked).map((backend) => ({
      last_error: backend.lastError,
      last_hello_unix_ms: backend.lastHelloUnixMs,
      pid: backend.pid,
      service_version: backend.serviceVersion,
      state: backend.state,
    })),
    service_name: asked,
  });
}
