// This module has no I/O.
import type { ResolvedImport, SourceFile, SourceTree, Violation } from "./source_file.ts";

const CORE = ["src", "src/wire", "src/naming"];
const USERS_OF_TRANSPORT = [...CORE, "src/host", "src/service", "src/handoff", "src/transport"];

/** Which rooms a room may import besides itself. Rooms that are not named here may import anything. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "src": [],
  "src/wire": ["src"],
  "src/naming": ["src", "src/wire"],
  "src/host": [...CORE, "ffi"],
  "src/service": [...CORE, "src/host"],
  "src/handoff": CORE,
  "src/transport": [...CORE, "src/host", "ffi"],
  "src/client": USERS_OF_TRANSPORT,
  "src/broker": USERS_OF_TRANSPORT,
  "src/backend": USERS_OF_TRANSPORT,
  "src/doctor": [...USERS_OF_TRANSPORT, "ffi"],
  "ffi": ["src"],
  "src/cli": ["src", "src/*"],
  "mod.ts": ["src", "src/*"],
  "cli.ts": ["src", "src/*"],
};
const ROOMS_FREE = new Set(["tests", "bench", "scripts"]);
const FROM_STATEMENT = /\b(?:import|export)\b[\w\s{},*$]*?\bfrom\s*"[^"]*"\s*;?/g;

/** The rules about who may import whom. */
export function checkImports(tree: SourceTree): Violation[] {
  const sources = [...tree.sources.values()];
  return [
    ...sources.flatMap((source) => source.imports.flatMap((found) => checkImport(tree, source, found))),
    ...sources.flatMap(checkBarrel),
    ...findCycles(tree),
  ];
}

/** The room a file is in: `src` itself, a folder of `src`, or the first part of its path. */
export function roomOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "src" && parts.length > 2 ? `src/${parts[1]}` : parts[0] ?? "";
}

function checkImport(tree: SourceTree, source: SourceFile, found: ResolvedImport): Violation[] {
  const { target, specifier, line } = found;
  if (target === undefined) return [];
  const report = (rule: string, message: string) => [{ rule, path: source.path, line, message }];
  if (!tree.sources.has(target)) {
    return report("import-missing", `Import "${specifier}" names no .ts file of the project`);
  }
  const from = roomOf(source.path);
  const to = roomOf(target);
  if (from === to || ROOMS_FREE.has(from)) return [];
  const allowed = ROOMS[from];
  if (allowed === undefined) {
    return report("import-direction", `Room "${from}" is not in the table of rooms`);
  }
  const isAllowed = allowed.includes(to) || (allowed.includes("src/*") && to.startsWith("src/"));
  return isAllowed ? [] : report("import-direction", `Room "${from}" imports "${to}" through "${specifier}"`);
}

/** Only `mod.ts` collects exports, and does nothing else. */
function checkBarrel({ path, code, imports }: SourceFile): Violation[] {
  const rest = code.replaceAll(FROM_STATEMENT, "").trim();
  const reExports = imports.filter(({ kind }) => kind === "re-export");
  if (path === "mod.ts") {
    return rest === "" ? [] : [{ rule: "barrel", path, line: 1, message: "mod.ts does more than export" }];
  }
  const isBarrel = reExports.length > 0 && (rest === "" || /\bexport\s*\*/.test(code));
  const message = "Only mod.ts may collect the exports of other files";
  return isBarrel ? [{ rule: "barrel", path, line: reExports[0]?.line ?? 1, message }] : [];
}

/** Reports each circle of static imports once, at its first file. */
function findCycles({ sources }: SourceTree): Violation[] {
  const finished = new Set<string>();
  const found: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const circle = [...trail.slice(start), path].join(" -> ");
      found.push({ rule: "import-cycle", path, line: 1, message: `Imports form a circle: ${circle}` });
    } else if (!finished.has(path)) {
      const edges = sources.get(path)?.imports ?? [];
      for (const { kind, target } of edges) {
        if (kind !== "dynamic" && target !== undefined) visit(target, [...trail, path]);
      }
      finished.add(path);
    }
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}
