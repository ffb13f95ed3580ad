import assert from "node:assert/strict";
import net from "node:net";
import process from "node:process";
import test from "node:test";
import { untilListening } from "./listening.ts";
import { makeTempDir } from "./temp_dir.ts";

test("untilListening() waits for a socket that listens, and says so when none does", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("s.sock");
  if (process.platform === "linux") await assert.rejects(untilListening(path, 20), /Nothing listens/);
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await untilListening(path, 5_000);
  server.close();
});
