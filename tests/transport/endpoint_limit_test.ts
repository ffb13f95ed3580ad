import assert from "node:assert/strict";
import net from "node:net";
import process from "node:process";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { checkSocketPath, socketPathBytesMax } from "../../src/transport/endpoint_limit.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const isConfigError = (error: unknown) => BrokerError.is(error) && error.code === "config";

test("a socket path has room for 107 bytes on Linux and 103 on macOS", () => {
  assert.equal(socketPathBytesMax("linux"), 107);
  assert.equal(socketPathBytesMax("darwin"), 103);
  for (const platform of ["linux", "darwin"]) {
    const max = socketPathBytesMax(platform);
    checkSocketPath("/".padEnd(max, "x"), platform);
    assert.throws(() => checkSocketPath("/".padEnd(max + 1, "x"), platform), isConfigError);
  }
});

test("the limit counts bytes and not characters", () => {
  checkSocketPath("/" + "ä".repeat(53), "linux");
  assert.throws(() => checkSocketPath("/" + "ä".repeat(54), "linux"), (error) => {
    assert.ok(isConfigError(error));
    assert.match(String(error), /it has 109 bytes and the kernel takes 107; choose a shorter directory/);
    return true;
  });
});

test("an empty path and one with a NUL are refused: the kernel would take them for something else", () => {
  assert.throws(() => checkSocketPath("", "linux"), isConfigError);
  assert.throws(() => checkSocketPath("/tmp/a\0b", "linux"), isConfigError);
  assert.throws(() => checkSocketPath("\0abstract", "linux"), isConfigError);
});

test(
  "the kernel agrees with the limit",
  { skip: process.platform !== "linux" && "counts as Linux does" },
  async () => {
    await using dir = await makeTempDir();
    const path = dir.join("s".padEnd(107 - dir.path.length - 1, "x"));
    assert.equal(path.length, 107);
    const server = net.createServer();
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    await new Promise((resolve) => server.close(resolve));
  },
);
