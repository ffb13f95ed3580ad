import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMAND_NAME, USAGE } from "../../src/cli/usage.ts";
import { LIBRARY_VERSION } from "../../src/version.ts";
import { runCli } from "./_run_cli.ts";

test("the version and the usage go to stdout, with success", async () => {
  for (const flag of ["--version", "-V"]) {
    assert.deepEqual(await runCli([flag]), {
      code: 0,
      stdout: `running-process-broker-v1 ${LIBRARY_VERSION}\n`,
      stderr: "",
    });
  }
  for (const flag of ["--help", "-h"]) {
    assert.deepEqual(await runCli([flag]), { code: 0, stdout: USAGE, stderr: "" });
  }
});

test("a mistake in the arguments ends with 2 and the usage on stderr", async () => {
  const all = "--serve /tmp/x --service svc --version 1.2.3 --backend-endpoint /tmp/y".split(" ");
  const without = (option: string) => {
    const at = all.indexOf(option);
    return [...all.slice(0, at), ...all.slice(at + 2)];
  };
  const mistakes: [string[], string][] = [
    [[], "no command given"],
    [["--nonsense"], 'unknown command "--nonsense"'],
    [["--serve"], "--serve needs a value"],
    [without("--service"), "missing --service"],
    [without("--version"), "missing --version"],
    [without("--backend-endpoint"), "missing --backend-endpoint"],
    [[...all, "--max-connections", "0"], "--max-connections must be a whole number of at least 1"],
    [[...all, "--hello-rate", "fast"], "--hello-rate must be a whole number of at least 0"],
  ];
  for (const [args, message] of mistakes) {
    const { code, stdout, stderr } = await runCli(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.ok(stderr.startsWith(`${COMMAND_NAME}: ${message}`), stderr);
    assert.ok(stderr.endsWith(`\n\n${USAGE}`), stderr);
  }
});

test("the usage names every command and option that is understood", () => {
  const words = [
    "--serve",
    "--service",
    "--version",
    "--backend-endpoint",
    "--service-def-dir",
    "--handoff-endpoint",
    "--identity-file",
    "--max-connections",
    "--hello-rate",
    "--help",
    "--socket",
    "doctor",
    "diagnose",
    "--output",
    "RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED",
  ];
  for (const word of words) assert.ok(USAGE.includes(word), word);
  assert.ok(USAGE.endsWith("\n") && !USAGE.endsWith("\n\n"));
});
