import assert from "node:assert/strict";
import { readdirSync, renameSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { WAIT } from "../support/waiting.ts";
import { readAll, transport } from "./_transport.ts";

const RACERS = 12;

for (const start of ["a free name", "debris"]) {
  test(`of ${RACERS} listeners that race for ${start}, one has it and the others are told`, async () => {
    for (let round = 0; round < 5; round++) {
      await using dir = await makeTempDir();
      const endpoint = dir.join("s.sock");
      if (start === "debris") await makeDebris(endpoint);
      const outcomes = await Promise.allSettled(
        Array.from({ length: RACERS }, (_, i) =>
          transport.listen(endpoint, {}, (stream) => {
            void stream.write(Uint8Array.of(i)).then(() => stream.close(), () => stream.close());
          })),
      );
      const winners = outcomes.flatMap((outcome, i) =>
        outcome.status === "fulfilled" ? [{ number: i, listener: outcome.value }] : []
      );
      try {
        for (const outcome of outcomes) {
          if (outcome.status === "fulfilled") continue;
          const { reason } = outcome;
          assert.ok(BrokerError.is(reason) && reason.code === "endpoint-taken", String(reason));
        }
        assert.equal(winners.length, 1, `winners: ${winners.map(({ number }) => number).join(", ")}`);
        assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
        const client = await transport.connect(endpoint, WAIT);
        assert.deepEqual([...await readAll(client)], [winners[0]!.number]);
        client.close();
      } finally {
        for (const { listener } of winners) await listener.close();
      }
      assert.deepEqual(readdirSync(dir.path), []);
    }
  });
}

async function makeDebris(path: string): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve));
  renameSync(`${path}.bound`, path);
  await new Promise((resolve) => server.close(resolve));
}
