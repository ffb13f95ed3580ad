import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { spawnSync } from "node:child_process";
import type { RuntimeName } from "../scripts/runtime_name.ts";
import { pinnedVersions } from "../scripts/toolchain.ts";
import { peerVersions } from "../tests/interop/_peer_crate.ts";

/** Where and with what was measured, in lines for people. */
export function describeMachine(runtimes: readonly RuntimeName[]): string[] {
  const processors = cpus();
  const loads = loadavg().map((load) => load.toFixed(2)).join(" ");
  const versions = runtimes.map((runtime) => `${runtime.replace(/\d+$/, "")} ${pinnedVersions[runtime]}`);
  return [
    `${processors.length} x ${processors[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${type()} ${release()} ${arch()}`,
    `${versions.join(", ")}, running-process ${peerVersions[0]}, ${versionOf("rustc")}, ${versionOf("cc")}`,
    `load ${loads} at ${new Date().toISOString()}`,
  ];
}

function versionOf(command: string): string {
  const { stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return stdout?.split("\n")[0]?.trim() || `no ${command}`;
}
