import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { rename, unlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { publishMarker } from "../../src/broker/publish_marker.ts";
import { isOurBroker, takesEarlyData } from "../../src/client/known_broker.ts";
import { decodeExtensionMarker, encodeExtensionMarker } from "../../src/wire/extension_marker.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { transport } from "../transport/_transport.ts";

/** By both looks: the cheap one that remembers, and none. */
const LOOKS = { "a cheap look": transport.fileLook, "no cheap look": () => undefined };

for (const [title, look] of Object.entries(LOOKS)) {
  const takes = (endpoint: string) => takesEarlyData(endpoint, look);

  test(`with ${title}: a broker with a marker of its own socket takes early data, again and again`, async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    await writeFile(endpoint, "");
    await publishMarker(endpoint);
    for (let i = 0; i < 5; i++) assert.equal(takes(endpoint), true);
  });

  test(`with ${title}: no socket, no marker or an unreadable one: none`, async () => {
    await using dir = await makeTempDir();
    assert.equal(takes(dir.join("none.sock")), false);
    assert.equal(isOurBroker(dir.join("none.sock"), look), false);
    const endpoint = dir.join("br.sock");
    await writeFile(endpoint, "");
    assert.equal(takes(endpoint), false);
    for (const [at, text] of ["", "garbage", "rpb-ext-v1 1 2 3\n", "x".repeat(100_000)].entries()) {
      const other = dir.join(`br${at}.sock`);
      await writeFile(other, "");
      await writeFile(`${other}.ext`, text);
      assert.equal(takes(other), false, text.slice(0, 20));
    }
  });

  test(`with ${title}: a broker that has taken the place of the known one is not taken for it`, async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    await writeFile(endpoint, "");
    await publishMarker(endpoint);
    assert.equal(takes(endpoint), true);
    // Another make of broker, which knows nothing of the marker: its socket is renamed onto the name.
    await writeFile(dir.join("next"), "");
    await rename(dir.join("next"), endpoint);
    assert.equal(takes(endpoint), false);
    await publishMarker(endpoint);
    if (title === "no cheap look") assert.equal(takes(endpoint), true);
  });

  test(`with ${title}: a marker without the bit is no leave`, async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    await writeFile(endpoint, "");
    await publishMarker(endpoint);
    const marker = decodeExtensionMarker(readFileSync(`${endpoint}.ext`, "utf8"));
    assert.ok(marker !== undefined);
    for (const [extensions, wanted] of [[0n, false], [2n, false], [3n, true]] as const) {
      const other = dir.join(`br${extensions}.sock`);
      writeFileSync(other, "");
      const { ino, dev, mtimeMs } = statSync(other, { bigint: true });
      const socket = { inode: ino, device: dev, madeAtUnixMs: mtimeMs };
      writeFileSync(`${other}.ext`, encodeExtensionMarker({ extensions, socket }));
      assert.equal(takes(other), wanted);
      assert.equal(isOurBroker(other, look), true, "whatever it takes");
    }
  });
}

test("a socket of the same number that was made later is another one", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  await writeFile(endpoint, "");
  const { ino, dev, mtimeMs } = statSync(endpoint, { bigint: true });
  const socket = { inode: ino, device: dev, madeAtUnixMs: mtimeMs - 1n };
  writeFileSync(`${endpoint}.ext`, encodeExtensionMarker({ extensions: 1n, socket }));
  assert.equal(takesEarlyData(endpoint, transport.fileLook), false);
});

test("a broker that has gone is asked nothing, and is known again when it is back", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  await writeFile(endpoint, "");
  const withdraw = await publishMarker(endpoint);
  assert.equal(takesEarlyData(endpoint, transport.fileLook), true);
  await withdraw();
  await unlink(endpoint);
  assert.equal(takesEarlyData(endpoint, transport.fileLook), false);
  await writeFile(endpoint, "");
  await publishMarker(endpoint);
  assert.equal(takesEarlyData(endpoint, transport.fileLook), true);
});

test("more brokers than are remembered are still told apart", async () => {
  await using dir = await makeTempDir();
  const endpoints = Array.from({ length: 40 }, (_, i) => dir.join(`br${i}.sock`));
  for (const [at, endpoint] of endpoints.entries()) {
    writeFileSync(endpoint, "");
    if (at % 2 === 0) await publishMarker(endpoint);
  }
  for (let round = 0; round < 2; round++) {
    for (const [at, endpoint] of endpoints.entries()) {
      assert.equal(takesEarlyData(endpoint, transport.fileLook), at % 2 === 0, endpoint);
    }
  }
});
