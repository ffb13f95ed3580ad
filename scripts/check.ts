// Every check that is not a test: `deno task check`.
import process from "node:process";
import { projectRoot } from "../tests/support/project.ts";
import { ChildRunner } from "./child_runner.ts";
import { formatTable, formatTotal, type TableRow } from "./testing/table.ts";

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
  { name: "docs", args: ["doc", "--lint", "mod.ts"] },
  { name: "examples", args: ["check", "--quiet", "--doc", "mod.ts", "README.md"] },
  { name: "package", args: ["run", "-A", "--no-check", "scripts/build_npm.ts"] },
];

const children = new ChildRunner();

async function runCheck({ name, args }: Check): Promise<TableRow> {
  const { code, isTimedOut, output, seconds } = await children.run({
    command: process.execPath,
    args,
    cwd: projectRoot,
    deadlineMs: DEADLINE_MS,
  });
  if (code !== 0) {
    console.log(
      `\nFAILED ${name}: deno ${args.join(" ")} ${isTimedOut ? "took too long" : `ended with ${code}`}`,
    );
    console.log(output.trimEnd().split("\n").map((line) => `  | ${line}`).join("\n"));
  }
  const isGood = code === 0;
  return {
    suite: name,
    runtime: "check",
    passed: isGood ? 1 : 0,
    failed: isGood ? 0 : 1,
    skipped: 0,
    seconds,
  };
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      children.killAll();
      process.exit(130);
    });
  }
  const rows: TableRow[] = [];
  for (const check of CHECKS) rows.push(await runCheck(check));
  console.log(`\n${formatTable(rows)}\n\n${formatTotal(rows)}`);
  process.exitCode = rows.some(({ failed }) => failed > 0) ? 1 : 0;
}
