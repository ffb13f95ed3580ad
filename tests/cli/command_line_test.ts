import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLine, UsageError } from "../../src/cli/command_line.ts";

const line = (text: string) => new CommandLine(text === "" ? [] : text.split(" "));

function isUsage(message: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, message);
    return true;
  };
}

test("the command is the first element, whatever it looks like", () => {
  assert.equal(line("").command, undefined);
  assert.equal(line("--serve a").command, "--serve");
  assert.equal(line("status --json").command, "status");
  assert.equal(line("servicedef install").argument(1), "install");
  assert.equal(line("servicedef").argument(1), undefined);
});

test("the operand is the first element behind the command that is no option", () => {
  assert.equal(line("backend-health svc --json").operand, "svc");
  assert.equal(line("backend-health --json svc other").operand, "svc");
  assert.equal(line("backend-health --json").operand, undefined);
  assert.equal(line("svc").operand, undefined);
});

test("a flag counts wherever it stands", () => {
  assert.equal(line("status --json").has("--json"), true);
  assert.equal(line("--json").has("--json"), true);
  assert.equal(line("status --jso").has("--json"), false);
});

test("the value of an option is the element behind its first occurrence, whatever that is", () => {
  const args = line("--serve /run/br.sock --service --version --version 1.2.3 --service other");
  assert.equal(args.value("--serve"), "/run/br.sock");
  assert.equal(args.value("--service"), "--version");
  assert.equal(args.value("--version"), "--version");
  assert.equal(args.value("--handoff-endpoint"), undefined);
  assert.equal(new CommandLine(["--serve", ""]).value("--serve"), "");
});

test("an option at the very end has no value", () => {
  assert.throws(() => line("--serve a --service").value("--service"), isUsage("--service needs a value"));
  assert.throws(() => line("--serve").required("--serve"), isUsage("--serve needs a value"));
});

test("the values of an option are those behind each occurrence, and the last one needs its own", () => {
  const args = line("install --allow-version 1.0.0 --allow-version 2.0.0");
  assert.deepEqual(args.values("--allow-version"), ["1.0.0", "2.0.0"]);
  assert.deepEqual(args.values("--none"), []);
  const cut = line("install --allow-version 1.0.0 --allow-version");
  for (const read of ["values", "value", "required"] as const) {
    assert.throws(() => cut[read]("--allow-version"), isUsage("--allow-version needs a value"));
  }
});

test("an option that has to be there is missed by its name", () => {
  assert.equal(line("--serve a --service svc").required("--service"), "svc");
  assert.throws(() => line("--serve a").required("--service"), isUsage("missing --service"));
});

test("a count is a whole number from its minimum on, in digits", () => {
  for (const [text, wanted] of [["1", 1], ["007", 7], ["999999999999999", 999_999_999_999_999]] as const) {
    assert.equal(line(`--serve a --max ${text}`).count("--max", 1), wanted);
  }
  assert.equal(line("--serve a --max 0").count("--max", 0), 0);
  assert.equal(line("--serve a").count("--max", 1), undefined);
  for (const text of ["0", "-1", "+1", "1.5", "1e3", "0x10", "many", "9999999999999999", "١"]) {
    const message = `--max must be a whole number of at least 1, seen "${text}"`;
    assert.throws(() => line(`--serve a --max ${text}`).count("--max", 1), isUsage(message));
  }
  const empty = new CommandLine(["--serve", "a", "--max", ""]);
  assert.throws(
    () => empty.count("--max", 1),
    isUsage('--max must be a whole number of at least 1, seen ""'),
  );
});
