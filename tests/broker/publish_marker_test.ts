import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { rename, unlink, writeFile } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { publishMarker } from "../../src/broker/publish_marker.ts";
import { decodeExtensionMarker, isMarkerOf, MARKER_EARLY_DATA } from "../../src/wire/extension_marker.ts";
import { makeTempDir } from "../support/temp_dir.ts";

test("the marker names the socket that is there, in a file of this user alone", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  await writeFile(endpoint, "");
  const withdraw = await publishMarker(endpoint);
  const marker = decodeExtensionMarker(readFileSync(`${endpoint}.ext`, "utf8"));
  const { dev, ino, mtimeMs } = lstatSync(endpoint, { bigint: true });
  assert.ok(marker !== undefined);
  assert.equal(marker.extensions, MARKER_EARLY_DATA);
  assert.equal(isMarkerOf(marker, { device: dev, inode: ino, madeAtUnixMs: mtimeMs }), true);
  if (process.platform !== "win32") assert.equal(statSync(`${endpoint}.ext`).mode & 0o777, 0o600);
  await withdraw();
  assert.equal(existsSync(`${endpoint}.ext`), false);
  await withdraw();
});

test("the marker of the broker that came after is left alone", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  await writeFile(endpoint, "");
  const withdraw = await publishMarker(endpoint);
  await writeFile(dir.join("next"), "");
  await rename(dir.join("next"), endpoint);
  const withdrawNext = await publishMarker(endpoint);
  const text = readFileSync(`${endpoint}.ext`, "utf8");
  await withdraw();
  assert.equal(readFileSync(`${endpoint}.ext`, "utf8"), text);
  await withdrawNext();
  assert.equal(existsSync(`${endpoint}.ext`), false);
});

test("what is there and is no marker is not removed", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  await writeFile(endpoint, "");
  const withdraw = await publishMarker(endpoint);
  await writeFile(`${endpoint}.ext`, "somebody's notes");
  await withdraw();
  assert.equal(readFileSync(`${endpoint}.ext`, "utf8"), "somebody's notes");
});

test("a marker that cannot be written, or is gone already, is no failure", async () => {
  await using dir = await makeTempDir();
  const nowhere = await publishMarker(dir.join("none.sock"));
  await nowhere();
  assert.equal(existsSync(dir.join("none.sock.ext")), false);
  const endpoint = dir.join("br.sock");
  await writeFile(endpoint, "");
  const withdraw = await publishMarker(endpoint);
  await unlink(`${endpoint}.ext`);
  await withdraw();
});
