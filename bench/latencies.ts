import { type CaseName, type Group, measurersOf } from "./cases.ts";
import { interleave } from "./interleave.ts";
import { type Lab, subjectOf } from "./lab.ts";
import { type Measurement, summarize } from "./measurement.ts";

/** A measurement with what it was made of. */
export interface Latencies {
  readonly measurement: Measurement;
  /** Microseconds. */
  readonly sorted: Float64Array;
}

/** Compilers of hot code need so many: P50s fall by two fifths over the first 8,000, that of early data longest. */
const WARMUPS_MAX = 10_000;
/** With gaps they take their time, and all code is warm by then. */
const WARMUPS_APART_MAX = 1_500;

/** Measures a group's chosen cases in turns. */
export async function measureGroup(
  lab: Lab,
  group: Group,
  cases: readonly CaseName[],
  samples: number,
): Promise<Latencies[]> {
  const series = group.cases
    .filter((name) => cases.includes(name))
    .flatMap((name) => (measurersOf[name] ?? []).map((kind) => ({ name, kind })));
  const count = Math.ceil(samples / group.fewer);
  const results = await interleave(
    lab.dir,
    series.map(({ name, kind }) => ({
      measurer: lab.measurers[kind],
      mode: name,
      clients: group.clients,
      gapUs: group.gapMs * 1_000,
    })),
    { samples: count, warmups: Math.min(count, group.gapMs === 0 ? WARMUPS_MAX : WARMUPS_APART_MAX) },
  );
  return results.map(({ sorted, elapsedUs, fallbacks }, index) => {
    const { name, kind } = series[index]!;
    const key = {
      case: name,
      ...subjectOf(lab, kind),
      cores: lab.cores,
      clients: group.clients,
      beside: lab.runtime,
      ...(group.gapMs === 0 ? {} : { gap_ms: group.gapMs }),
    };
    return { measurement: summarize(key, sorted, elapsedUs, fallbacks), sorted };
  });
}
