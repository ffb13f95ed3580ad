// Checks the shape of the tree: `deno run -A scripts/check_structure.ts [root]`.
import process from "node:process";
import { projectRoot } from "../tests/support/project.ts";
import { checkImports } from "./structure/import_rules.ts";
import { checkPurity } from "./structure/purity_rules.ts";
import type { Violation } from "./structure/source_file.ts";
import { readSourceTree } from "./structure/source_tree.ts";
import { checkTexts } from "./structure/text_rules.ts";

/** Every broken rule of the tree below a folder, in the order of its files. */
export function checkStructure(root: string): Violation[] {
  const tree = readSourceTree(root);
  return [...checkImports(tree), ...checkPurity(tree), ...checkTexts(tree)]
    .sort((a, b) => a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1);
}

if (import.meta.main) {
  const violations = checkStructure(process.argv[2] ?? projectRoot);
  for (const { rule, path, line, message } of violations) console.log(`${path}:${line} ${rule}: ${message}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
