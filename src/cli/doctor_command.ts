import { inodePressure } from "../broker/inode_pressure.ts";
import { runDoctor } from "../doctor/run_doctor.ts";
import { systemDoctorHost } from "../doctor/system_doctor_host.ts";
import type { CommandLine } from "./command_line.ts";
import { writeBody } from "./stdio.ts";

/** `doctor`: looks at this host and changes nothing (protocol 10.2). @returns The exit code: 1 when a check failed. */
export async function doctorCommand(line: CommandLine, endpoint: string | undefined): Promise<number> {
  const serviceDefinitionDir = line.value("--service-def-dir");
  const report = await runDoctor(systemDoctorHost(inodePressure), { endpoint, serviceDefinitionDir });
  await writeBody(line.has("--json") ? report.toJson() : report.toText());
  return report.exitCode;
}
