// run-in: deno
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { labRuntimes } from "./_lab.ts";
import { startBroker, takeRoute } from "./_parts.ts";
import { peerVersions } from "./_peer_crate.ts";
import {
  isRecognised,
  isRust,
  Labs,
  parties,
  type Party,
  probe,
  type ProbedBackend,
  startProbedBackend,
} from "./_probers.ts";
import { quirkCell } from "./_quirks.ts";
import { formatColumns } from "./_table.ts";

const FILES_DIFFER = quirkCell("identity-files-differ");

test("every party recognises every backend by its identity file", async () => {
  await using labs = await Labs.open();
  const backends = await Promise.all(parties.map((party) => startProbedBackend(labs, party)));
  const rows: string[][] = [];
  for (const prober of parties) {
    const cells: string[] = [];
    for (const backend of backends) cells.push(await recognise(labs, prober, backend));
    rows.push([prober, ...cells]);
  }
  console.log(formatColumns([["prober", ...parties.map((party) => `backend ${party}`)], ...rows]));
  const wanted = parties.map((prober) => [prober, ...parties.map((backend) => expectation(prober, backend))]);
  assert.deepEqual(rows, wanted);
});

test("our probe needs no identity file to recognise a backend of the reference", async () => {
  await using labs = await Labs.open();
  for (const version of peerVersions) {
    const backend = await startProbedBackend(labs, version);
    for (const runtime of labRuntimes) {
      const seen = await probe(labs, runtime, backend, undefined);
      assert.deepEqual([seen.event, seen["pid"]], ["proven", backend.part.process.pid], JSON.stringify(seen));
    }
  }
});

test("nobody takes another process for the announced one", async () => {
  await using labs = await Labs.open();
  for (const announcing of [...peerVersions, "node20"] as const) {
    const backend = await startProbedBackend(labs, announcing);
    const forged = forgeIdentity(backend, process.pid);
    for (const prober of isRust(announcing) ? [announcing, ...labRuntimes] : parties) {
      const seen = await probe(labs, prober, backend, forged);
      assert.ok(!isRecognised(seen), `${prober} about ${announcing}: ${JSON.stringify(seen)}`);
      assert.match(String(seen["error"] ?? seen["message"]), /\bpid\b/, `${prober} about ${announcing}`);
    }
  }
});

for (const version of peerVersions) {
  for (const runtime of labRuntimes) {
    test(`a broker in ${runtime} serves the process that ${version} announced, and no other`, async () => {
      await using labs = await Labs.open();
      const backend = await startProbedBackend(labs, version);
      const lab = labs.of(version);
      const { identityFile } = backend.part;
      const broker = await startBroker(lab, runtime, backend.part, { identityFile });
      await takeRoute(lab, "rust", broker, "handoff");
      const forged = { identityFile: forgeIdentity(backend, process.pid) };
      await assert.rejects(startBroker(lab, runtime, backend.part, forged), /its pid is not the one/);
    });
  }
}

async function recognise(labs: Labs, prober: Party, backend: ProbedBackend): Promise<string> {
  const seen = await probe(labs, prober, backend, backend.part.identityFile);
  if (isRecognised(seen)) return "ok";
  if (seen.event === "error" && seen["variant"] === "Identity") return FILES_DIFFER;
  return `FAILED: ${seen["error"] ?? seen["message"]}`;
}

function expectation(prober: Party, backend: Party): string {
  return prober !== backend && isRust(prober) && isRust(backend) ? FILES_DIFFER : "ok";
}

/** Writes the identity file of a backend again, with another live process's number. */
function forgeIdentity({ part }: ProbedBackend, pid: number): string {
  const path = `${part.identityFile}.forged`;
  writeFileSync(path, readFileSync(part.identityFile, "utf8").replace(/"pid": \d+/, `"pid": ${pid}`));
  return path;
}
