// This module has no I/O.
import { serviceDefinitionDirectory } from "../naming/directories.ts";
import { type DoctorCheck, fail } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { DoctorReport } from "./doctor_report.ts";
import { ENDPOINT_CHECK, endpointCheck } from "./endpoint_check.ts";
import { environmentChecks } from "./environment_checks.ts";
import { INODE_CHECK, inodeCheck } from "./inode_check.ts";
import { KILL_MODE_CHECK, killModeCheck } from "./kill_mode_check.ts";
import { messageOf } from "./message_of.ts";
import { NATIVE_CALLS_CHECK, nativeCallsCheck } from "./native_calls_check.ts";
import { PATH_BUDGET_CHECK, pathBudgetCheck } from "./path_budget_check.ts";
import { PERMISSIONS_CHECK, permissionsCheck } from "./permissions_check.ts";
import { RUNTIME_DIRECTORY_CHECK, runtimeDirectoryCheck } from "./runtime_directory_check.ts";
import { DEFINITIONS_CHECK, serviceDefinitionChecks } from "./service_definition_checks.ts";
import { versionCheck } from "./version_check.ts";

/** What to look at instead of what this host's environment says. */
export interface DoctorOptions {
  /** Endpoint of the broker to ask. @default {the user's shared broker} */
  readonly endpoint?: string | undefined;
  /** Directory of the service definitions. @default {the platform's, protocol 3.8} */
  readonly serviceDefinitionDir?: string | undefined;
}

/** Checks that belong together; the name stands for them when looking fails altogether. */
type Area = readonly [name: string, look: () => Promise<readonly DoctorCheck[]>];

/**
 * Looks at everything a broker, its backends and their clients need on this host (protocol 10.2). It changes
 * nothing.
 *
 * The areas are looked at one after another, and what goes wrong in one is a failed check with its name. Those
 * that only this implementation has come last.
 *
 * @param host Whom to ask.
 * @param options What to look at.
 */
export async function runDoctor(host: DoctorHost, options: DoctorOptions = {}): Promise<DoctorReport> {
  const definitions = () => serviceDefinitionDirectory(host.values, options.serviceDefinitionDir).path;
  const areas: readonly Area[] = [
    ["env", () => Promise.resolve(environmentChecks(host.values.environment))],
    [ENDPOINT_CHECK, async () => [await endpointCheck(host, options.endpoint)]],
    [DEFINITIONS_CHECK, () => serviceDefinitionChecks(host, definitions())],
    [RUNTIME_DIRECTORY_CHECK, async () => [await runtimeDirectoryCheck(host)]],
    [INODE_CHECK, async () => [await inodeCheck(host)]],
    [PATH_BUDGET_CHECK, async () => [await pathBudgetCheck(host)]],
    [KILL_MODE_CHECK, async () => [await killModeCheck(host)]],
    ["build:version", () => Promise.resolve([versionCheck()])],
    [NATIVE_CALLS_CHECK, async () => [await nativeCallsCheck(host)]],
    [PERMISSIONS_CHECK, async () => [await permissionsCheck(host, definitions())]],
  ];
  const checks: DoctorCheck[] = [];
  for (const area of areas) checks.push(...await lookAt(area));
  return new DoctorReport(checks);
}

async function lookAt([name, look]: Area): Promise<readonly DoctorCheck[]> {
  try {
    return await look();
  } catch (error) {
    return [fail(name, `the check itself failed: ${messageOf(error)}`)];
  }
}
