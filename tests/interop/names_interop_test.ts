// run-in: deno
import assert from "node:assert/strict";
import test from "node:test";
import { takeSteps } from "./_file_parties.ts";
import { labRuntimes } from "./_lab.ts";
import { Labs, parties } from "./_probers.ts";
import { peerVersions } from "./_peer_crate.ts";
import { quirkCell } from "./_quirks.ts";

const SERVICE = "my-daemon";

test("every party describes this host alike", async () => {
  await using labs = await Labs.open();
  const described = await Promise.all(parties.map((party) => takeSteps(labs, party, [{ act: "host" }])));
  for (const [i, outcome] of described.entries()) assert.deepEqual(outcome, described[0], parties[i]);
  assert.equal(described[0]?.[0]?.ok, true);
});

test("every party gives this user's endpoints the same names", async () => {
  await using labs = await Labs.open();
  for (const version of peerVersions) {
    const lab = labs.of(version);
    const { sid_hash: userHash } = await lab.askPeer("client", "sid");
    if (!/^[0-9a-f]{16}$/.test(String(userHash))) {
      console.log(`${version}: ${quirkCell("no-user-hash-without-machine-id")}`);
      assert.match(String(userHash), /no \/etc\/machine-id/);
      assert.equal(version, "4.5.7");
      continue;
    }
    const wanted = await lab.askPeer("client", "names", "--service", SERVICE);
    for (const runtime of labRuntimes) {
      const outcome = await takeSteps(labs, runtime, [{ act: "names", service: SERVICE }]);
      assert.deepEqual(outcome, [{ ok: true, value: wanted }], `${runtime} and ${version}`);
    }
  }
});
