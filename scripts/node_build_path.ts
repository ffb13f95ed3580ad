// This module has no I/O.

/** Where a source's JavaScript for Node lies; both are relative to the project, with forward slashes. */
export function nodeBuildPath(source: string): string {
  return `.build/node/${source.replace(/\.ts$/, ".js")}`;
}
