// run-in: deno
import assert from "node:assert/strict";
import test from "node:test";
import { SERVICE, VERSION } from "../support/topology.ts";
import { defineRustService } from "./_definitions.ts";
import { executableOf, Lab, labRuntimes } from "./_lab.ts";
import { type BrokerPart, routes, startBackend, takeRoute } from "./_parts.ts";
import { peerVersions } from "./_peer_crate.ts";
import { quirkTest } from "./_quirks.ts";

for (const version of peerVersions) {
  test(`our clients take every route to a service that is its own broker with ${version}`, async () => {
    await using lab = await Lab.open(version);
    const service = await startEmbeddedService(lab);
    for (const runtime of labRuntimes) {
      for (const route of routes) await takeRoute(lab, runtime, service, route);
    }
  });
}

quirkTest("serve-accepts-only-itself", async (lab) => {
  const { endpoint } = await startBackend(lab, "deno");
  const definitions = await lab.newFolder();
  await defineRustService(lab, definitions, executableOf("deno"));
  const places = [
    "--socket",
    lab.newPath("br.sock"),
    "--dir",
    definitions,
    "--endpoint",
    endpoint,
    "--outside",
  ];
  const target = ["--service", SERVICE, "--version", VERSION];
  const [ended] = await lab.runPeer("broker", "embedded", ...places, ...target);
  assert.equal(ended?.event, "exit");
  assert.match(String(ended?.["error"]), /identity did not match/);
});

/** A Rust process that is both the broker and the backend. */
async function startEmbeddedService(lab: Lab): Promise<BrokerPart> {
  const paths = {
    endpoint: lab.newPath("be.sock"),
    handoffEndpoint: lab.newPath("ho.sock"),
    identityFile: "",
    definitions: await lab.newFolder(),
  };
  await defineRustService(lab, paths.definitions, lab.crate.broker);
  const endpoint = lab.newPath("br.sock");
  const places = ["--socket", endpoint, "--dir", paths.definitions];
  places.push("--endpoint", paths.endpoint, "--handoff", paths.handoffEndpoint);
  const args = ["embedded", ...places, "--service", SERVICE, "--version", VERSION];
  const process = await lab.start({ command: lab.crate.broker, args }, "listening");
  return { player: "rust", process, endpoint, backend: { player: "rust", process, ...paths } };
}
