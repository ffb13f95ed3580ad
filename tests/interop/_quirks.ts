import test from "node:test";
import { Lab } from "./_lab.ts";
import { type PeerVersion, peerVersions } from "./_peer_crate.ts";

/** What the reference does that this project does not, or cannot do that it can. Each has a test. */
export const quirks = {
  "identity-files-differ":
    "files of before and after 4.10.3 carry different digests, and each version insists on its own",
  "unknown-field-corrupts-manifest": "a manifest's digest is verified over the fields that the reader knows",
  "no-user-hash-without-machine-id": "4.5.7 has no names for a host that has no machine id",
  "bad-admin-frame-ends-the-broker": "an admin frame that is no request ends the accept loop",
  "silent-client-blocks-the-broker": "nobody is served while a client says nothing",
  "connection-id-is-always-1": "a Hello gets a handler of its own, which starts to count",
  "version-shape-checked-late": "4.5.7 looks a malformed version up before it calls it malformed",
  "token-without-handoff-endpoint": "a token is issued though nobody takes connections over",
  "handoff-not-announced":
    "a client cannot know whether a connection is handed over: waiting for it costs time",
  "handoff-unasked": "the client always offers its connection, so that it is handed over unasked",
  "silent-backend-blocks-the-broker": "nobody is served while a backend does not answer an offer",
  "serve-accepts-only-itself": "`--serve` takes no backend for genuine but the broker's own process",
  "launch-never-hands-over": "a broker that launches backends issues tokens but hands nothing over",
} as const;

/** A quirk's name. */
export type QuirkName = keyof typeof quirks;

/** Defines a test for each version that has a quirk. */
export function quirkTest(
  name: QuirkName,
  run: (lab: Lab) => Promise<void>,
  versions: readonly PeerVersion[] = peerVersions,
): void {
  for (const version of versions) {
    test(`${version} has the quirk ${name}: ${quirks[name]}`, async () => {
      await using lab = await Lab.open(version);
      await run(lab);
    });
  }
}

/** How a table names a cell that ends in a quirk. */
export function quirkCell(name: QuirkName): string {
  return `quirk: ${name}`;
}
