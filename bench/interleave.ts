import type { TempDir } from "../tests/support/temp_dir.ts";
import { type Measurer, takeSamples } from "./measurer.ts";

/** Operations of one kind that are measured beside others. */
export interface Series {
  readonly measurer: Measurer;
  readonly mode: string;
  readonly clients: number;
  readonly gapUs: number;
}

/** The samples of a series. */
export interface SeriesResult {
  /** Microseconds. */
  readonly sorted: Float64Array;
  readonly elapsedUs: number;
  readonly fallbacks: number;
}

/** How much is measured. */
export interface InterleaveOptions {
  /** Of each series, at least. */
  readonly samples: number;
  /** Of each series, before the first one that counts. */
  readonly warmups: number;
}

/** The machine changes its pace within seconds: so many times every series gets its turn. */
const BLOCKS = 20;

/** Measures several series in turns of one block each, so that what the machine does meets all of them. */
export async function interleave(
  dir: TempDir,
  series: readonly Series[],
  { samples, warmups }: InterleaveOptions,
): Promise<SeriesResult[]> {
  const blockSamples = Math.ceil(samples / BLOCKS);
  const runs = series.map((one, index) => ({
    one,
    file: dir.join(`samples-${index}`),
    elapsedUs: 0,
    fallbacks: 0,
  }));
  for (const { one: { measurer, ...what }, file } of runs) {
    await measurer.run({ ...what, samples: warmups, file });
    takeSamples(file);
  }
  for (let block = 0; block < BLOCKS; block++) {
    for (const run of runs) {
      const { measurer, ...what } = run.one;
      const result = await measurer.run({ ...what, samples: blockSamples, file: run.file });
      run.elapsedUs += result.elapsedUs;
      run.fallbacks += result.fallbacks;
    }
  }
  return runs.map(({ file, elapsedUs, fallbacks }) => ({ sorted: takeSamples(file), elapsedUs, fallbacks }));
}
