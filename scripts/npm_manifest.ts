// This module has no I/O.

/** What the package's `package.json` is made of. */
export interface NpmManifestInput {
  name: string;
  version: string;
  license: string;
  /** What the published files import, with exact versions. */
  dependencies: Readonly<Record<string, string>>;
  /** What makes native calls possible on Node; the package works without. */
  optionalDependencies: Readonly<Record<string, string>>;
  /** The oldest versions the tests run on. */
  engines: Readonly<Record<"node" | "bun" | "deno", string>>;
  /** Files and folders beside the two entries. */
  folders: readonly string[];
}

const DESCRIPTION =
  "Client, broker and backend of the running-process v1 broker protocol for Deno, Bun and Node: reach a warm daemon " +
  "in one round trip, on a connection handed over live";
const KEYWORDS = [
  "broker",
  "daemon",
  "unix-socket",
  "fd-passing",
  "scm-rights",
  "ipc",
  "deno",
  "bun",
  "node",
];

/** The published `package.json`: only what a consumer's tools read. */
export function npmManifest(input: NpmManifestInput): Record<string, unknown> {
  const atLeast = Object.entries(input.engines).map(([engine, version]) => [engine, `>=${version}`]);
  return {
    name: input.name,
    version: input.version,
    description: DESCRIPTION,
    keywords: KEYWORDS,
    license: input.license,
    type: "module",
    sideEffects: false,
    engines: Object.fromEntries(atLeast),
    exports: {
      ".": { types: "./mod.d.ts", default: "./mod.js" },
      "./package.json": "./package.json",
    },
    types: "./mod.d.ts",
    bin: { "running-process-broker-v1": "cli.js" },
    files: ["mod.js", "mod.d.ts", "cli.js", ...input.folders],
    dependencies: input.dependencies,
    optionalDependencies: input.optionalDependencies,
  };
}

/** Joins what several modules import from packages: every package must have one exact version. */
export function exactDependencies(
  specifiers: readonly string[],
  versions: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = specifiers
    .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
    .map((specifier) => specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/"));
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => {
      const version = versions[name];
      if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
        throw new Error(
          `Cannot publish: "${name}" has version "${version}" in package.json, wanted an exact one`,
        );
      }
      return [name, version];
    }),
  );
}
