import assert from "node:assert/strict";
import test from "node:test";
import { goldenVersions, loadGolden } from "../support/golden.ts";

/** One test a version that checks every vector of a golden file and says how many there were. */
export function checkVectors<Vector extends { id: string }>(
  file: string,
  behaviour: string,
  check: (vector: Vector, version: string) => void | Promise<void>,
): void {
  for (const version of goldenVersions) {
    test(`golden ${file} of ${version}: ${behaviour}`, async () => {
      const { vectors } = loadGolden<Vector>(version, file);
      assert.ok(vectors.length > 0, "no vectors");
      for (const vector of vectors) {
        try {
          await check(vector, version);
        } catch (error) {
          throw new Error(
            `${version} ${vector.id} fails: ${error instanceof Error ? error.message : error}`,
            {
              cause: error,
            },
          );
        }
      }
      console.log(`golden ${file} ${version}: ${vectors.length} vectors (${behaviour})`);
    });
  }
}
