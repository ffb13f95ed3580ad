// This module has no I/O.
import { daemonDataDirectory } from "./directories.ts";
import { joinPath } from "./join_path.ts";
import type { HostValues } from "./platform.ts";

/** Where brokers on the command line note what becomes of backends: `events/lifecycle.jsonl` of the daemon's data. */
export function lifecycleLogPath(host: HostValues): string {
  return joinPath(host.platform, daemonDataDirectory(host).path, "events", "lifecycle.jsonl");
}
