import process from "node:process";
import { LIBRARY_VERSION } from "../version.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import { adminCommand } from "./admin_command.ts";
import { adminQuestion } from "./admin_question.ts";
import { takeAdminSocket } from "./admin_socket.ts";
import { CommandLine, UsageError } from "./command_line.ts";
import { diagnoseCommand } from "./diagnose_command.ts";
import { doctorCommand } from "./doctor_command.ts";
import { privilegeRefusal } from "./privilege.ts";
import { serveCommand, serveLaunchCommand } from "./serve_command.ts";
import { serveOnceCommand } from "./serve_once_command.ts";
import { shutdownCommand } from "./shutdown_command.ts";
import { servicedefCommand } from "./servicedef_command.ts";
import { writeError, writeOutput } from "./stdio.ts";
import { COMMAND_NAME, USAGE } from "./usage.ts";

/** Runs the command line (protocol 10.1). @returns The exit code: 0 success, 1 failure, 2 usage, 75 endpoint taken. */
export async function main(args: readonly string[]): Promise<number> {
  const refused = privilegeRefusal();
  if (refused !== undefined) {
    writeError(`${COMMAND_NAME}: ${refused}`);
    return 1;
  }
  try {
    const { args: rest, endpoint } = takeAdminSocket(args, process.env);
    return await run(new CommandLine(rest), endpoint);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeError(`${COMMAND_NAME}: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}

async function run(line: CommandLine, endpoint: string | undefined): Promise<number> {
  const question = adminQuestion(line);
  if (question?.verb === AdminVerb.DIAGNOSE) {
    return await diagnoseCommand(question, line.value("--output"), endpoint);
  }
  if (question !== undefined) return await adminCommand(question, endpoint);
  switch (line.command) {
    case "doctor":
      return await doctorCommand(line, endpoint);
    case "shutdown":
      return await shutdownCommand(line, endpoint);
    case "servicedef":
      return await servicedefCommand(line);
    case "--serve":
      return await serveCommand(line);
    case "--serve-launch":
      return await serveLaunchCommand(line);
    case "--serve-once":
      return await serveOnceCommand(line);
    case "--version":
    case "-V":
      writeOutput(`${COMMAND_NAME} ${LIBRARY_VERSION}`);
      return 0;
    case "--help":
    case "-h":
      writeOutput(USAGE);
      return 0;
    case undefined:
      throw new UsageError("no command given");
    default:
      throw new UsageError(`unknown command "${line.command}"`);
  }
}
