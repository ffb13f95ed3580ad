import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { userCacheFolder } from "./_peer_crate.ts";

/** The client library of Prometheus, whose parser is the strict one; pinned with its hash. */
const REQUIREMENT = "prometheus_client==0.22.1 " +
  "--hash=sha256:cca895342e308174341b2cbf99a56bef291fbc0ef7b9e5412a0f26d653ba7094\n";
const FOLDER = "prometheus-client-0.22.1";
/** One small package, on a slow line. */
const INSTALL_DEADLINE_MS = 180_000;
const PARSE_DEADLINE_MS = 60_000;

const PARSER = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.read())
print(json.dumps([
    {"name": f.name, "type": f.type, "samples": [[s.name, s.labels, s.value] for s in f.samples]} for f in families
]))
`;

/** A family of metrics as Prometheus reads it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly samples:
    readonly (readonly [name: string, labels: Readonly<Record<string, string>>, value: number])[];
}

/**
 * Reads OpenMetrics text as Prometheus does, strictly.
 *
 * The parser is installed the first time and kept outside of the tree.
 *
 * @throws {Error} When Python or its package index cannot be had, and when the text is not OpenMetrics.
 */
export function parseByPrometheus(text: string): ParsedFamily[] {
  const output = run(python(), ["-c", PARSER], PARSE_DEADLINE_MS, text);
  return JSON.parse(output) as ParsedFamily[];
}

function python(): string {
  const folder = join(userCacheFolder(), FOLDER);
  const executable = join(folder, "bin", "python3");
  if (existsSync(join(folder, "installed"))) return executable;
  install(folder);
  return executable;
}

/** A virtual environment knows its own path: it is made where it stays, and marked when it is whole. */
function install(folder: string): void {
  const scratch = mkdtempSync(`${folder}-`);
  try {
    const requirements = join(scratch, "requirements.txt");
    writeFileSync(requirements, REQUIREMENT);
    rmSync(folder, { recursive: true, force: true });
    run("python3", ["-m", "venv", folder], INSTALL_DEADLINE_MS);
    const flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
    run(
      join(folder, "bin", "python3"),
      ["-m", "pip", "install", ...flags, "-r", requirements],
      INSTALL_DEADLINE_MS,
    );
    writeFileSync(join(scratch, "installed"), "");
    renameSync(join(scratch, "installed"), join(folder, "installed"));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], timeout: number, input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(command, [...args], {
    input,
    timeout,
    encoding: "utf8",
  });
  if (status === 0) return stdout;
  throw new Error(`Cannot run ${command} ${args[0]} ${args[1]}: ${error?.message ?? stderr}`);
}
