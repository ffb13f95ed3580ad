// This module has no I/O.
import type { Environment } from "../naming/platform.ts";
import { quotedText } from "../naming/quoted_text.ts";
import { type DoctorCheck, fail, pass, warn } from "./doctor_check.ts";

/** A variable that is right when it is unset and unusual when it is not. */
interface InformationalVariable {
  readonly name: string;
  readonly unset: string;
  readonly set: string;
}

const INFORMATIONAL: readonly InformationalVariable[] = [
  {
    name: "RUNNING_PROCESS_NO_TRACKING",
    unset: "the daemon tracks processes",
    set: "the daemon does not track processes",
  },
  {
    name: "RUNNING_PROCESS_DAEMON_SCOPE",
    unset: "one daemon for the user",
    set: "a daemon of its own for a working directory, as tests want it",
  },
  {
    name: "RUNNING_PROCESS_SERVICE_DEF_DIR",
    unset: "service definitions are where the platform has them",
    set: "service definitions are read from there",
  },
  {
    name: "RUNNING_PROCESS_BROKER_V1_SOCKET",
    unset: "the broker's endpoint is derived",
    set: "operators' commands ask the broker there",
  },
];

/** Checks 1 to 6: every variable that changes what clients, brokers and backends do (protocol 10.2). */
export function environmentChecks(environment: Environment): DoctorCheck[] {
  return [
    disableCheck(environment["RUNNING_PROCESS_DISABLE"]),
    fakeBackendCheck(environment["RUNNING_PROCESS_FAKE_BACKEND"]),
    ...INFORMATIONAL.map((variable) => informationalCheck(variable, environment[variable.name])),
  ];
}

function disableCheck(value: string | undefined): DoctorCheck {
  const name = "env:RUNNING_PROCESS_DISABLE";
  if (value === undefined) return pass(name, "unset: the broker is used");
  if (value === "1") {
    return warn(name, 'set to "1": broker disabled, tools go to their daemons directly; unset it to use one');
  }
  return fail(name, `set to ${quotedText(value)}, wanted unset or "1": every client refuses it; unset it`);
}

function fakeBackendCheck(value: string | undefined): DoctorCheck {
  const name = "env:RUNNING_PROCESS_FAKE_BACKEND";
  if (value === undefined) return pass(name, "unset");
  if (value === "") return warn(name, "set and empty, which is ignored; unset it");
  return warn(
    name,
    `TEST-ONLY: set to ${
      quotedText(value)
    }, so that no broker is asked; never set this in production, unset it`,
  );
}

function informationalCheck(
  { name, unset, set }: InformationalVariable,
  value: string | undefined,
): DoctorCheck {
  return value === undefined
    ? pass(`env:${name}`, `unset: ${unset}`)
    : warn(`env:${name}`, `set to ${quotedText(value)}: ${set}`);
}
