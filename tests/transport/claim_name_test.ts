import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import net, { type Server } from "node:net";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { claimName } from "../../src/transport/claim_name.ts";
import { makeTempDir } from "../support/temp_dir.ts";

test("a free name is taken by a link, and the private one is gone", async () => {
  await using dir = await makeTempDir();
  const server = await serve(dir.join(".own"));
  const { ino } = lstatSync(dir.join(".own"));
  await claimName(dir.join(".own"), dir.join("s.sock"));
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
  assert.equal(lstatSync(dir.join("s.sock")).ino, ino);
  await stop(server);
});

test("debris is replaced and nothing else is left", async () => {
  await using dir = await makeTempDir();
  await debris(dir.join("s.sock"));
  const server = await serve(dir.join(".own"));
  const { ino } = lstatSync(dir.join(".own"));
  await claimName(dir.join(".own"), dir.join("s.sock"));
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
  assert.equal(lstatSync(dir.join("s.sock")).ino, ino);
  await stop(server);
});

test("a name that is served, or no socket's, stays, and the private one too", async () => {
  await using dir = await makeTempDir();
  const [own, other] = [await serve(dir.join(".own")), await serve(dir.join("served"))];
  writeFileSync(dir.join("file"), "precious");
  for (const [name, code] of [["served", "endpoint-taken"], ["file", "config"]] as const) {
    const { ino } = lstatSync(dir.join(name));
    const isRefusal = (error: unknown) => BrokerError.is(error) && error.code === code;
    await assert.rejects(claimName(dir.join(".own"), dir.join(name)), isRefusal);
    assert.equal(lstatSync(dir.join(name)).ino, ino);
    assert.ok(existsSync(dir.join(".own")));
  }
  await Promise.all([stop(own), stop(other)]);
});

test("an error of the system is passed on as it is", async () => {
  await using dir = await makeTempDir();
  const claiming = claimName(dir.join("no-such-socket"), dir.join("s.sock"));
  await assert.rejects(claiming, (error) => (error as { code?: string }).code === "ENOENT");
});

async function serve(path: string): Promise<Server> {
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

async function stop(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

async function debris(path: string): Promise<void> {
  const server = await serve(`${path}.bound`);
  renameSync(`${path}.bound`, path);
  await stop(server);
}
