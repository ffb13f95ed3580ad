import assert from "node:assert/strict";
import { lstatSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { takesEarlyData } from "../../src/client/known_broker.ts";
import { fileKey } from "../../src/host/file_key.ts";
import { allRuntimes, runtimeCommand } from "../support/runtimes.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { WAIT } from "../support/waiting.ts";
import { transport } from "../transport/_transport.ts";

for (const runtime of allRuntimes) {
  test(`a socket that a broker in ${runtime} has marked is known here, under the same key`, async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    writeFileSync(endpoint, "");
    const command = runtimeCommand(runtime, "tests/processes/_mark_socket.ts", [endpoint]);
    await using marking = startProcess(command);
    const key = await marking.waitForLine(() => true, WAIT);
    assert.equal(fileKey(lstatSync(endpoint, { bigint: true })), key);
    assert.equal(takesEarlyData(endpoint, transport.fileLook), true);
  });
}
