// This module has no I/O.
import { quotedText } from "../naming/quoted_text.ts";
import { type DoctorCheck, fail, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { messageOf } from "./message_of.ts";

/** Name of the check of the directory, and of the area. */
export const DEFINITIONS_CHECK = "servicedef:dir";

/** What the name of a definition ends with, behind the service. */
export const SERVICE_DEFINITION_ENDING = ".servicedef";

/** Check 8: the directory of service definitions, and then each file in it (protocol 10.2). */
export async function serviceDefinitionChecks(host: DoctorHost, directory: string): Promise<DoctorCheck[]> {
  const found = await host.kindOf(directory);
  if (found === undefined) {
    return [
      warn(
        DEFINITIONS_CHECK,
        `${directory} does not exist: no service is defined; define one with servicedef install`,
      ),
    ];
  }
  if (found !== "directory") {
    return [fail(DEFINITIONS_CHECK, `${directory} is not a directory; move it away or name another one`)];
  }
  const problem = await accessProblem(host, directory);
  if (problem !== undefined) return [fail(DEFINITIONS_CHECK, problem)];
  let names: readonly string[];
  try {
    names = await host.listNames(directory);
  } catch (error) {
    return [
      fail(DEFINITIONS_CHECK, `${directory} cannot be listed: ${messageOf(error)}; make it readable to you`),
    ];
  }
  const files = names.filter((name) =>
    name.endsWith(SERVICE_DEFINITION_ENDING) && name !== SERVICE_DEFINITION_ENDING
  ).sort();
  const count = `${files.length} ${SERVICE_DEFINITION_ENDING} file${files.length === 1 ? "" : "s"}`;
  const checks = [pass(DEFINITIONS_CHECK, `${directory} is private, ${count}`)];
  for (const file of files) checks.push(await fileCheck(host, directory, file));
  return checks;
}

async function accessProblem(host: DoctorHost, directory: string): Promise<string | undefined> {
  try {
    if (await host.isPrivate(directory)) return undefined;
    return `${directory} has insecure permissions: others may use it, so brokers load nothing from it; ` +
      `run chmod 700 ${directory}`;
  } catch (error) {
    return `the permissions of ${directory} cannot be read: ${messageOf(error)}; make it yours`;
  }
}

async function fileCheck(host: DoctorHost, directory: string, file: string): Promise<DoctorCheck> {
  const name = `servicedef:${file}`;
  try {
    const definition = await host.loadDefinition(directory, file.slice(0, -SERVICE_DEFINITION_ENDING.length));
    const { serviceName, binaryPath } = definition;
    return pass(name, `valid: service ${quotedText(serviceName)}, binary ${quotedText(binaryPath)}`);
  } catch (error) {
    return fail(name, messageOf(error));
  }
}
