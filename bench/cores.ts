import type { ProcessCommand } from "../tests/support/spawn.ts";

/** How many cores all processes of a measurement share. */
export type CoreCount = 1 | 2;

/** The command, confined to so many cores: on one there are no wake-ups across cores, which vary most. */
export function onCores(cores: CoreCount, { command, args, env }: ProcessCommand): Required<ProcessCommand> {
  return { command: "taskset", args: ["-c", cores === 1 ? "0" : "0,1", command, ...args], env: env ?? {} };
}
