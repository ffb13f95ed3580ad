// run-in: deno
import assert from "node:assert/strict";
import test from "node:test";
import { labRuntimes } from "./_lab.ts";
import { routes, startBackend, startBroker, takeRoute } from "./_parts.ts";
import { peerVersions } from "./_peer_crate.ts";
import { Labs } from "./_probers.ts";
import { quirks } from "./_quirks.ts";

for (const runtime of labRuntimes) {
  test(`a broker in ${runtime} brings clients and backends of different versions together`, async () => {
    await using labs = await Labs.open();
    for (const served of peerVersions) {
      const broker = await startBroker(labs.of(served), runtime, await startBackend(labs.of(served), "rust"));
      for (const version of peerVersions.filter((other) => other !== served)) {
        for (const route of routes) await takeRoute(labs.of(version), "rust", broker, route);
      }
    }
  });

  test(`a backend in ${runtime} serves behind brokers of different versions at once`, async () => {
    await using labs = await Labs.open();
    const backend = await startBackend(labs.of(runtime), runtime);
    const brokers = await Promise.all(
      peerVersions.map((version) => startBroker(labs.of(version), "rust", backend)),
    );
    for (const broker of brokers) {
      for (const version of peerVersions) {
        for (const route of routes) await takeRoute(labs.of(version), "rust", broker, route);
      }
    }
  });
}

test(`two versions of the reference do not come together: ${quirks["identity-files-differ"]}`, async () => {
  await using labs = await Labs.open();
  for (const served of peerVersions) {
    const backend = await startBackend(labs.of(served), "rust");
    for (const version of peerVersions.filter((other) => other !== served)) {
      await assert.rejects(startBroker(labs.of(version), "rust", backend), /unreadable identity file/);
    }
  }
});
