// This module has no I/O.
import { BrokerError } from "../errors.ts";

/** Bytes of a Unix socket path, without the closing zero: `sun_path` has 108 bytes on Linux, 104 on macOS. */
export function socketPathBytesMax(platform: string): number {
  return platform === "darwin" ? 103 : 107;
}

/**
 * Checks an endpoint before the kernel truncates or refuses it.
 *
 * @throws {BrokerError} With code "config" when the path is empty, has a NUL or is too long.
 */
export function checkSocketPath(path: string, platform: string): void {
  if (path === "" || path.includes("\0")) {
    throw new BrokerError(
      "config",
      `Cannot use ${JSON.stringify(path)} as a socket path: it is empty or has a NUL`,
    );
  }
  const bytes = new TextEncoder().encode(path).length;
  const max = socketPathBytesMax(platform);
  if (bytes > max) {
    throw new BrokerError(
      "config",
      `Cannot use "${path}" as a socket path: it has ${bytes} bytes and the kernel takes ${max}; choose a shorter directory`,
    );
  }
}
