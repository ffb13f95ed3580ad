import assert from "node:assert/strict";
import test from "node:test";
import { ADMIN_SOCKET_VARIABLE, takeAdminSocket } from "../../src/cli/admin_socket.ts";
import { UsageError } from "../../src/cli/command_line.ts";
import { runCli } from "./_run_cli.ts";

test("takeAdminSocket() takes the option out of any place and keeps the order of the rest", () => {
  const rest = ["backend-health", "my-daemon", "--json"];
  for (let place = 0; place <= rest.length; place++) {
    const args = rest.toSpliced(place, 0, "--socket", "/run/br.sock");
    assert.deepEqual(takeAdminSocket(args, {}), { args: rest, endpoint: "/run/br.sock" }, `at ${place}`);
  }
});

test("takeAdminSocket() takes the next element whatever it looks like", () => {
  assert.deepEqual(takeAdminSocket(["--socket", "--json", "status"], {}), {
    args: ["status"],
    endpoint: "--json",
  });
});

test("takeAdminSocket() puts the option before the variable, and takes an empty variable for none", () => {
  const environment = { [ADMIN_SOCKET_VARIABLE]: "/run/env.sock" };
  assert.equal(takeAdminSocket(["status"], environment).endpoint, "/run/env.sock");
  assert.equal(takeAdminSocket(["status", "--socket", "/run/br.sock"], environment).endpoint, "/run/br.sock");
  assert.equal(takeAdminSocket(["status"], { [ADMIN_SOCKET_VARIABLE]: "" }).endpoint, undefined);
  assert.equal(takeAdminSocket(["status"], {}).endpoint, undefined);
});

const MISUSES: readonly (readonly [string, readonly string[]])[] = [
  ["no value", ["status", "--socket"]],
  ["an empty value", ["--socket", "", "status"]],
  ["two values", ["--socket", "/a", "status", "--socket", "/b"]],
  ["the same value twice", ["--socket", "/a", "--socket", "/a", "status"]],
  ["an empty value behind a good one", ["--socket", "/a", "status", "--socket", ""]],
];

for (const [what, args] of MISUSES) {
  test(`takeAdminSocket() refuses ${what}, also when the variable is set`, () => {
    assert.throws(() => takeAdminSocket(args, {}), UsageError);
    assert.throws(() => takeAdminSocket(args, { [ADMIN_SOCKET_VARIABLE]: "/run/env.sock" }), UsageError);
  });
}

test("a bad --socket ends the command line with 2, before the command is looked at", async () => {
  const { code, stdout, stderr } = await runCli(["healthz", "--socket"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /--socket needs an endpoint\n/);
});
