// This module has no I/O.
import { pathTooLong } from "./endpoint_name_error.ts";
import { hash16 } from "./hash16.ts";
import { joinPath } from "./join_path.ts";
import type { HostValues, Platform } from "./platform.ts";
import { utf8Length } from "./validate_name.ts";

/** What a named pipe's path starts with. */
export const PIPE_PREFIX = "\\\\.\\pipe\\";

/** The longest endpoint path in bytes. On Unix the kernel's `sun_path` less its closing zero. */
const ENDPOINT_PATH_LIMITS: Readonly<Record<Platform, { maxBytes: number; label: string }>> = {
  linux: { maxBytes: 107, label: "Linux sun_path" },
  macos: { maxBytes: 103, label: "macOS sun_path" },
  windows: { maxBytes: 260, label: "Windows MAX_PATH" },
};

/**
 * Renders a bare endpoint name as the path to bind or to connect to (protocol 3.2).
 *
 * On macOS the name is hashed, because the runtime folder leaves too little room for it.
 *
 * @param bareName A name made by one of the functions of `endpoint_name.ts`.
 * @param host Where the process runs and for whom.
 * @throws {EndpointNameError} With kind `PathTooLong`.
 */
export function endpointPath(
  bareName: string,
  host: Pick<HostValues, "platform" | "environment" | "uid">,
): string {
  const path = host.platform === "windows"
    ? PIPE_PREFIX + bareName
    : joinPath(host.platform, endpointDirectory(host), `${leafName(bareName, host.platform)}.sock`);
  const { maxBytes, label } = ENDPOINT_PATH_LIMITS[host.platform];
  const lengthBytes = utf8Length(path);
  if (lengthBytes > maxBytes) throw pathTooLong(lengthBytes, maxBytes, label);
  return path;
}

/**
 * The folder of a user's sockets (protocol 3.2); Windows has none, its pipes share one namespace.
 *
 * A variable that is set but empty counts as set, which yields a relative folder, as in the reference.
 *
 * @throws {TypeError} On Windows.
 */
export function endpointDirectory(host: Pick<HostValues, "platform" | "environment" | "uid">): string {
  const { platform, environment } = host;
  if (platform === "windows") throw new TypeError("Named pipes have no folder");
  if (platform === "macos") return joinPath(platform, environment["TMPDIR"] ?? "/tmp", `.rp-${host.uid}`);
  const runtime = environment["XDG_RUNTIME_DIR"];
  if (runtime === undefined) return `/tmp/running-process-${host.uid}/broker`;
  return joinPath(platform, runtime, "running-process", "broker");
}

function leafName(bareName: string, platform: Platform): string {
  return platform === "macos" ? hash16(bareName) : bareName;
}
