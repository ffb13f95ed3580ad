import { LIBRARY_VERSION } from "../version.ts";
import { CommandLine, UsageError } from "./command_line.ts";
import { privilegeRefusal } from "./privilege.ts";
import { serveCommand } from "./serve_command.ts";
import { writeError, writeOutput } from "./stdio.ts";
import { COMMAND_NAME, USAGE } from "./usage.ts";

/** Runs the command line (protocol 10.1). @returns The exit code: 0 success, 1 failure, 2 usage. */
export async function main(args: readonly string[]): Promise<number> {
  const refused = privilegeRefusal();
  if (refused !== undefined) {
    writeError(`${COMMAND_NAME}: ${refused}`);
    return 1;
  }
  try {
    return await run(new CommandLine(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeError(`${COMMAND_NAME}: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}

async function run(line: CommandLine): Promise<number> {
  switch (line.command) {
    case "--serve":
      return await serveCommand(line);
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
