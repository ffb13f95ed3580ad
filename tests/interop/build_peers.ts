// Builds the Rust peers that the interop tests need: `deno run -A tests/interop/build_peers.ts`.
import { buildPeer, peerVersions } from "./_peer_crate.ts";

for (const version of peerVersions) {
  const { client } = await buildPeer(version);
  console.log(`${version}: ${client}`);
}
