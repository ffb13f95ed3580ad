// This module has no I/O.
import { joinPath } from "../naming/join_path.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { SERVICE_DEFINITION_ENDING } from "./service_definition_checks.ts";

/** Label of a definition whose binary is a script: what runs it. */
const INTERPRETER_LABEL = "interpreter";

/** What the definitions of a host lead to. */
export interface DefinedPrograms {
  /** Binaries, and the directories they have to be in. */
  readonly binaries: readonly string[];
  /** What is started: binaries, and interpreters of scripts; links and what they point to. */
  readonly programs: readonly string[];
}

/** What brokers look at and start for the definitions in a directory. What cannot be loaded leads to nothing. */
export async function definedPrograms(host: DoctorHost, directory: string): Promise<DefinedPrograms> {
  const binaries = new Set<string>();
  const programs = new Set<string>();
  for (const service of await definedServices(host, directory)) {
    try {
      const definition = await host.loadDefinition(directory, service);
      const { binaryPath, perVersionBinaryDir, labels } = definition;
      for (const path of [binaryPath, perVersionBinaryDir]) if (path !== "") binaries.add(path);
      const program = await findProgram(host, labels[INTERPRETER_LABEL] || binaryPath);
      // Without a directory of versions nothing is ever launched.
      if (perVersionBinaryDir === "" || program === undefined) continue;
      programs.add(program).add(await host.realPath(program));
    } catch {
      // The check of service definitions has said why.
    }
  }
  return { binaries: [...binaries].sort(), programs: [...programs].sort() };
}

async function definedServices(host: DoctorHost, directory: string): Promise<string[]> {
  try {
    const names = await host.listNames(directory);
    return names.filter((name) => name.endsWith(SERVICE_DEFINITION_ENDING))
      .map((name) => name.slice(0, -SERVICE_DEFINITION_ENDING.length));
  } catch {
    // Not there, or not to be read: nothing is defined.
    return [];
  }
}

/** The path of a program: one that is only named is looked for in the folders of `PATH`. */
export async function findProgram(host: DoctorHost, program: string): Promise<string | undefined> {
  if (program.includes("/")) return program;
  for (
    const folder of (host.values.environment["PATH"] ?? "").split(":").filter((path) => path.startsWith("/"))
  ) {
    const path = joinPath(host.values.platform, folder, program);
    if (await host.kindOf(path) === "other") return path;
  }
  return undefined;
}
