// Every check that is not a test: `deno task check`.
import process from "node:process";
import { projectRoot } from "../tests/support/project.ts";
import { ChildRunner } from "./child_runner.ts";
import { showFailure } from "./testing/show_failure.ts";
import { formatTable, formatTotal, stepRow, type TableRow } from "./testing/table.ts";
import { ensureRuntime } from "./toolchain.ts";

/** A command whose exit code is the answer. */
interface Check {
  name: string;
  args: readonly string[];
}

// The slowest of them installs and judges a package; none takes a minute on two cores.
const DEADLINE_MS = 240_000;

const CHECKS: readonly Check[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "typecheck", args: ["check", "--quiet"] },
  { name: "core types", args: ["run", "-A", "--no-check", "scripts/check_core.ts"] },
  { name: "structure", args: ["run", "-A", "--no-check", "scripts/check_structure.ts"] },
  { name: "generated", args: ["run", "-A", "--no-check", "scripts/generate_proto.ts", "--check"] },
  // With npm packages loaded, the linter takes their types for private ones of ours and lints their declarations,
  // which is nothing that this project can mend; without them it looks at the project alone.
  { name: "docs", args: ["doc", "--lint", "--no-npm", "mod.ts"] },
  { name: "examples", args: ["check", "--quiet", "--doc", "mod.ts", "README.md"] },
  { name: "package", args: ["run", "-A", "--no-check", "scripts/build_npm.ts"] },
];

async function runCheck(children: ChildRunner, deno: string, { name, args }: Check): Promise<TableRow> {
  const { code, isTimedOut, output, seconds } = await children.run({
    command: deno,
    args,
    cwd: projectRoot,
    deadlineMs: DEADLINE_MS,
  });
  if (code !== 0) {
    const ending = isTimedOut ? "took too long" : `ended with ${code}`;
    showFailure(`${name}: deno ${args.join(" ")} ${ending}`, [], output);
  }
  return stepRow(name, "check", code === 0, seconds);
}

if (import.meta.main) {
  const children = new ChildRunner();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      children.killAll();
      process.exit(130);
    });
  }
  const deno = ensureRuntime("deno");
  const rows: TableRow[] = [];
  for (const check of CHECKS) rows.push(await runCheck(children, deno, check));
  console.log(`\n${formatTable(rows)}\n\n${formatTotal(rows)}`);
  process.exitCode = rows.some(({ failed }) => failed > 0) ? 1 : 0;
}
