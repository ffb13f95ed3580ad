import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { stop } from "esbuild";
import { projectFile, projectRoot } from "../../tests/support/project.ts";
import { buildForNode } from "../build_node.ts";
import type { ChildRunner } from "../child_runner.ts";
import { type RuntimeName, runtimeNames } from "../runtime_name.ts";
import { ensureRuntimes, TOOLCHAIN_ENV } from "../toolchain.ts";
import { findRustupHome } from "./rustup_home.ts";
import { showFailure } from "./show_failure.ts";
import { stepRow, type TableRow } from "./table.ts";

/** What the tests of a run share. */
export interface Prepared {
  executables: Partial<Record<RuntimeName, string>>;
  /** For every child. */
  env: Record<string, string>;
  rows: TableRow[];
}

/** A command that must succeed before the tests. */
interface Step {
  suite: string;
  runtime: string;
  args: readonly string[];
  deadlineMs: number;
}

const TOOLS_NEEDED: Readonly<Record<string, string>> = {
  gcc: "compares struct layouts with the C headers",
  cargo: "builds the Rust peers",
  python3: "plays a peer in a third language",
};
const TYPE_CHECK: Step = {
  suite: "typecheck",
  runtime: "deno",
  args: ["check", "--quiet"],
  deadlineMs: 180_000,
};
const PEER_SCRIPT = "tests/interop/build_peers.ts";
const PEER_BUILD: Step = {
  suite: "peer build",
  runtime: "rust",
  args: ["run", "-A", "--quiet", "--no-check", PEER_SCRIPT],
  // Two crates of 80 s each on two idle cores from nothing, plus their downloads; a busy machine took 540 s.
  deadlineMs: 900_000,
};

/** Looks for the tools, installs the runtimes, compiles for Node, checks the types and builds the Rust peers. */
export async function prepare(children: ChildRunner, suites: ReadonlySet<string>): Promise<Prepared> {
  const rows = checkTools();
  const executables = ensureRuntimes(runtimeNames);
  await buildForNode();
  await stop();
  const rustupHome = findRustupHome(process.env);
  const env = {
    [TOOLCHAIN_ENV]: JSON.stringify(executables),
    RP_NODE_BUILD_READY: "1",
    ...(rustupHome === undefined ? {} : { RUSTUP_HOME: rustupHome }),
  };
  const needsPeers = suites.has("interop") && existsSync(projectFile(PEER_SCRIPT));
  for (const step of needsPeers ? [TYPE_CHECK, PEER_BUILD] : [TYPE_CHECK]) {
    rows.push(await runStep(children, executables.deno ?? process.execPath, step, env));
  }
  return { executables, env, rows };
}

function checkTools(): TableRow[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return Object.entries(TOOLS_NEEDED).map(([tool, use]) => {
    const isThere = folders.some((folder) => existsSync(join(folder, tool)));
    if (!isThere) console.log(`Missing tool: "${tool}" is not on the PATH (${use})`);
    return stepRow("tools", tool, isThere, 0);
  });
}

async function runStep(
  children: ChildRunner,
  command: string,
  { suite, runtime, args, deadlineMs }: Step,
  env: Record<string, string>,
): Promise<TableRow> {
  const { code, output, seconds } = await children.run({ command, args, cwd: projectRoot, env, deadlineMs });
  if (code !== 0) showFailure(`${suite}: deno ${args.join(" ")} ended with ${code}`, [], output);
  return stepRow(suite, runtime, code === 0, seconds);
}
