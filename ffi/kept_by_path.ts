// This module has no I/O.

/**
 * Keeps what is made of a path, for calls that are made again and again with a few.
 *
 * @param pathsMax Paths kept; with one more all are forgotten.
 * @param make Makes it; `undefined` for a path that has none, which is not kept.
 */
export function keptByPath<Made>(
  pathsMax: number,
  make: (path: string) => Made | undefined,
): (path: string) => Made | undefined {
  const kept = new Map<string, Made>();
  return (path) => {
    const known = kept.get(path);
    if (known !== undefined) return known;
    const made = make(path);
    if (made === undefined) return undefined;
    if (kept.size >= pathsMax) kept.clear();
    kept.set(path, made);
    return made;
  };
}
