import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HEADERS = [
  "errno",
  "fcntl",
  "poll",
  "stddef",
  "stdio",
  "sys/file",
  "sys/ioctl",
  "sys/socket",
  "sys/uio",
];

/**
 * Asks a C compiler for the values of integer expressions on this machine.
 *
 * @param expressions C expressions by name. An expression that is one constant may be undefined here: then 0.
 */
export function probeC(expressions: Readonly<Record<string, string>>): Record<string, number> {
  const folder = mkdtempSync(join(tmpdir(), "c-probe-"));
  try {
    const source = join(folder, "probe.c");
    const program = join(folder, "probe");
    writeFileSync(source, programText(expressions));
    run("gcc", ["-o", program, source]);
    return JSON.parse(run(program, [])) as Record<string, number>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function programText(expressions: Readonly<Record<string, string>>): string {
  const prints = Object.entries(expressions).map(([name, expression], i) => {
    const print = (value: string) =>
      `printf("${i === 0 ? "" : ","}\\"${name}\\":%lld", (long long) (${value}));`;
    if (!/^[A-Z_]+$/.test(expression)) return print(expression);
    return `#ifdef ${expression}\n${print(expression)}\n#else\n${print("0")}\n#endif`;
  });
  return [
    "#define _GNU_SOURCE",
    ...HEADERS.map((header) => `#include <${header}.h>`),
    "int main(void) {",
    `printf("{");`,
    ...prints,
    `printf("}");`,
    "return 0;",
    "}",
    "",
  ].join("\n");
}

function run(command: string, parameters: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(command, [...parameters], { encoding: "utf8" });
  assert.equal(error, undefined, `${command} does not run, and these tests need it: ${error?.message}`);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}
