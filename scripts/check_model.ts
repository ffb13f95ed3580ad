// Runs the model checker on docs/model: `deno run -A scripts/check_model.ts [--write] [--trace] [NAME...]`.
// Needs `spin` and `gcc`. `--write` puts the table into docs/model/README.md, `--trace` prints the steps to a
// violation, the fewest possible. Without names every run of docs/model/runs.txt is made, one at a time.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { projectRoot } from "../tests/support/project.ts";
import { ChildRunner } from "./child_runner.ts";

/** A run of the model checker and what it is to find. */
interface ModelRun {
  name: string;
  switches: readonly string[];
  /** Part of the violated assertion; nothing when the run is to hold. */
  violation: string;
  meaning: string;
}

/** What the model checker found. */
interface ModelResult {
  run: ModelRun;
  states: string;
  errors: string;
  isExpected: boolean;
  /** What to look at when it is not as expected. */
  detail: string;
}

// The largest run takes a minute on an idle core.
const DEADLINE_MS = 600_000;
// The longest path is some hundred steps.
const DEPTH_MAX = "20000";
const FORMAT_DEADLINE_MS = 60_000;
const COMPILE = ["-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048"];

const folder = join(projectRoot, "docs", "model");
const model = join(folder, "warm_channel.pml");
const readme = join(folder, "README.md");
const TABLE_START = "<!-- table -->\n";
const TABLE_END = "<!-- end of table -->\n";

function readRuns(names: readonly string[]): ModelRun[] {
  const lines = readFileSync(join(folder, "runs.txt"), "utf8").split("\n");
  const runs = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [name = "", switches = "", violation = "", meaning = ""] = line.split("|").map((part) =>
      part.trim()
    );
    return { name, switches: switches.split(" ").filter((word) => word !== ""), violation, meaning };
  });
  const unknown = names.filter((name) => !runs.some((run) => run.name === name));
  if (unknown.length > 0) throw new Error(`Cannot run "${unknown.join(" ")}": not in docs/model/runs.txt`);
  return names.length === 0 ? runs : runs.filter(({ name }) => names.includes(name));
}

/** Searches every state that a run can reach. */
class ModelChecker {
  readonly #children = new ChildRunner();
  readonly #isTraced: boolean;

  constructor(isTraced: boolean) {
    this.#isTraced = isTraced;
  }

  async check(run: ModelRun): Promise<ModelResult> {
    const cwd = join(projectRoot, ".build", "model", run.name);
    rmSync(cwd, { recursive: true, force: true });
    mkdirSync(cwd, { recursive: true });
    await this.#command(cwd, "spin", ["-a", ...run.switches, model]);
    // Breadth first finds the shortest way to a violation, and needs far more memory.
    const search = this.#isTraced ? ["-DBFS"] : [];
    await this.#command(cwd, "gcc", [...COMPILE, ...search, "-o", "pan", "pan.c"]);
    // A process that waits for ever is no error by itself: the assertions at the end say what may wait.
    const output = await this.#command(cwd, join(cwd, "pan"), ["-E", `-m${DEPTH_MAX}`]);
    const trail = join(cwd, "warm_channel.pml.trail");
    if (this.#isTraced && existsSync(trail)) {
      console.log(await this.#command(cwd, "spin", ["-k", trail, "-p", "-g", "-l", ...run.switches, model]));
    }
    return judge(run, output, this.#isTraced);
  }

  killAll(): void {
    this.#children.killAll();
  }

  async #command(cwd: string, command: string, args: readonly string[]): Promise<string> {
    const { code, output, isTimedOut } = await this.#children.run({
      command,
      args,
      cwd,
      deadlineMs: DEADLINE_MS,
    });
    if (code === 0) return output;
    throw new Error(`${command} ${isTimedOut ? "took too long" : `ended with ${code}`}:\n${output}`);
  }
}

function judge(run: ModelRun, output: string, isTraced: boolean): ModelResult {
  const states = /(\S+) states, stored/.exec(output)?.[1] ?? "?";
  const errors = /errors: (\d+)/.exec(output)?.[1] ?? "?";
  const violated = /^pan:1: (.*)$/m.exec(output)?.[1] ?? "";
  // A search that gave up on a path has shown nothing.
  const isWhole = !/error: max search depth too small|Search not completed/.test(output) || violated !== "";
  const isExpected = run.violation === ""
    ? errors === "0" && isWhole
    // Another search may come upon another assertion first: a rule that is broken breaks more than one.
    : errors === "1" && violated.startsWith("assertion violated") &&
      (isTraced || violated.includes(run.violation));
  return { run, states, errors, isExpected, detail: violated || output };
}

function formatResult({ run, states, errors }: ModelResult): string {
  const switches = run.switches.map((word) => word.replace("-D", "")).join(" ");
  return `| ${run.name} | ${switches} | ${states} | ${errors} | ${run.meaning} |`;
}

async function writeTable(rows: readonly string[]): Promise<void> {
  const text = readFileSync(readme, "utf8");
  const start = text.indexOf(TABLE_START) + TABLE_START.length;
  const end = text.indexOf(TABLE_END);
  if (start < TABLE_START.length || end < start) {
    throw new Error(`Cannot write the table: no marks in ${readme}`);
  }
  const head = "| name | switches | states | errors | what it shows |\n| --- | --- | --: | --: | --- |\n";
  writeFileSync(readme, `${text.slice(0, start)}\n${head}${rows.join("\n")}\n\n${text.slice(end)}`);
  const format = { command: process.execPath, args: ["fmt", "--quiet", readme], cwd: projectRoot };
  const { code, output } = await new ChildRunner().run({ ...format, deadlineMs: FORMAT_DEADLINE_MS });
  if (code !== 0) throw new Error(`Cannot format "${readme}":\n${output}`);
}

async function main(args: readonly string[]): Promise<boolean> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const isWritten = args.includes("--write");
  if (isWritten && names.length > 0) throw new TypeError("Cannot write the table of some runs: name none");
  const checker = new ModelChecker(args.includes("--trace"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      checker.killAll();
      process.exit(130);
    });
  }
  const rows: string[] = [];
  let isGood = true;
  for (const run of readRuns(names)) {
    const result = await checker.check(run);
    rows.push(formatResult(result));
    console.log(rows.at(-1));
    if (result.isExpected) continue;
    isGood = false;
    console.log(
      `  wanted ${run.violation === "" ? "no error" : `"${run.violation}"`}, got: ${result.detail}`,
    );
  }
  if (isWritten) await writeTable(rows);
  return isGood;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2)) ? 0 : 1;
