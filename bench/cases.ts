// This module has no I/O.

/** Everything that can be measured. */
export const caseNames = [
  "floor-connect",
  "floor-handoff",
  "hello",
  "reconnect",
  "handoff",
  "handoff-early",
  "reconnect-end",
  "handoff-early-end",
  "adopted-1mib",
  "frame",
  "memory",
  "start",
  "start-broker",
] as const;

/** One of them. */
export type CaseName = typeof caseNames[number];

/** Series that are measured in turns. */
export interface Group {
  readonly cases: readonly CaseName[];
  readonly clients: number;
  /** Milliseconds before each operation; 0 is back to back. */
  readonly gapMs: number;
  /** Divides the number of samples. */
  readonly fewer: number;
}

/** Ways to a first answer. */
const FIRST_ANSWERS = [
  "reconnect",
  "handoff",
  "handoff-early",
  "reconnect-end",
  "handoff-early-end",
] as const satisfies readonly CaseName[];

/** What is compared is in one group. A block of 1 MiB takes as long as ten connections: a tenth of them is enough. */
export const groups: readonly Group[] = [
  {
    cases: ["floor-connect", "floor-handoff", "hello", ...FIRST_ANSWERS],
    clients: 1,
    gapMs: 0,
    fewer: 1,
  },
  { cases: ["hello", ...FIRST_ANSWERS], clients: 8, gapMs: 0, fewer: 1 },
  { cases: ["hello", ...FIRST_ANSWERS], clients: 64, gapMs: 0, fewer: 1 },
  { cases: ["floor-connect", "reconnect", "handoff-early"], clients: 1, gapMs: 1, fewer: 1 },
  { cases: ["adopted-1mib"], clients: 1, gapMs: 0, fewer: 10 },
];

/** Who can measure what. */
export type MeasurerKind = "floor" | "own" | "c" | "load" | "reference";

/** The measurers of a case: `load` drives our broker from Rust, `reference` the same for the Rust pair. */
export const measurersOf: Readonly<Record<string, readonly MeasurerKind[]>> = {
  "floor-connect": ["floor"],
  "floor-handoff": ["floor"],
  "hello": ["load", "reference"],
  "reconnect": ["own", "c", "reference"],
  "handoff": ["own", "c", "reference"],
  "handoff-early": ["own", "c"],
  "reconnect-end": ["own"],
  "handoff-early-end": ["own"],
  "adopted-1mib": ["own", "reference"],
};
