// run-in: deno
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { until } from "../support/waiting.ts";
import { type Answer, askByOurs, askByRust, type Question } from "./_admin_answers.ts";
import { Lab, labRuntimes } from "./_lab.ts";
import { startBackend, startBroker } from "./_parts.ts";
import { peerVersions } from "./_peer_crate.ts";
import { formatColumns } from "./_table.ts";

const QUESTIONS: readonly Question[] = [
  { verb: "status" },
  { verb: "status", json: true },
  { verb: "dump" },
  { verb: "list-instances" },
  { verb: "healthz" },
  { verb: "readyz" },
  { verb: "backend-health" },
  { verb: "config" },
  { verb: "diagnose" },
  { verb: "diagnose", output: "/tmp/of my own.tar.gz" },
  { verb: "metrics" },
  { verb: "unspecified" },
];

for (const version of peerVersions) {
  for (const runtime of labRuntimes) {
    test(`operators and brokers of the reference ${version} and of ${runtime} understand each other`, async () => {
      await using lab = await Lab.open(version);
      const backend = await startBackend(lab, "rust");
      const theirs = await startBroker(lab, "rust", backend);
      const ours = await startBroker(lab, runtime, backend);
      const wanted = await askByRust(lab, theirs, QUESTIONS);
      assert.deepEqual(
        wanted.map(({ exitCode }) => exitCode),
        QUESTIONS.map(({ verb }) => verb === "unspecified" ? 2 : 0),
      );
      const rows = [
        ["rust", "rust", wanted] as const,
        ["rust", runtime, await askByRust(lab, ours, QUESTIONS)] as const,
        [runtime, "rust", await askByOurs(lab, runtime, theirs, QUESTIONS)] as const,
        [runtime, runtime, await askByOurs(lab, runtime, ours, QUESTIONS)] as const,
      ];
      console.log(answerTable(version, wanted, rows));
      for (const [operator, broker, answers] of rows) {
        assert.deepEqual(answers, wanted, `${operator} asks a broker of ${broker}`);
      }
    });
  }
}

test("4.10.21 shuts its broker down for our operator, and ours for an operator of 4.10.21, in the same words", async () => {
  await using lab = await Lab.open("4.10.21");
  const backend = await startBackend(lab, "rust");
  const shutdown = [{ verb: "shutdown" }];
  const ours = await startBroker(lab, "deno", backend);
  const [answer] = await askByRust(lab, ours, shutdown);
  const [theirs] = await askByOurs(lab, "deno", await startBroker(lab, "rust", backend), shutdown);
  assert.deepEqual([theirs?.exitCode, theirs?.body], [0, "broker shutting down\n"]);
  assert.deepEqual(answer, theirs);
  await until("the end of our broker's name", () => !existsSync(ours.endpoint));
});

function answerTable(
  version: string,
  wanted: readonly Answer[],
  rows: readonly (readonly [string, string, readonly Answer[]])[],
): string {
  const verbs = QUESTIONS.map(({ verb, json, output }) =>
    verb + (json ? " (json)" : "") + (output ? " (output)" : "")
  );
  const lines = rows.map(([operator, broker, answers]) => [
    operator,
    broker,
    ...answers.map((answer, i) => JSON.stringify(answer) === JSON.stringify(wanted[i]) ? "ok" : "FAILED"),
  ]);
  return `running-process ${version}\n${formatColumns([["operator", "broker", ...verbs], ...lines])}`;
}
