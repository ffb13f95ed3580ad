import { pinnedVersions } from "../scripts/toolchain.ts";
import type { RuntimeName } from "../scripts/runtime_name.ts";
import type { Subject } from "./measurement.ts";

/** What a line of the result calls a runtime. */
export function runtimeSubject(runtime: RuntimeName): Pick<Subject, "runtime" | "version"> {
  const version = pinnedVersions[runtime];
  return { runtime: runtime === "deno" || runtime === "bun" ? runtime : "node", version };
}
