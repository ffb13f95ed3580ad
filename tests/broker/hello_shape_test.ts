import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { checkHelloShape } from "../../src/broker/hello_shape.ts";
import type { HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { hello, wide } from "./_hello_values.ts";

type Fields = MessageInitShape<typeof HelloSchema>;

/** What a Hello is refused for: the code and the words, or nothing. */
function verdict(fields: Fields, peerPid = 0): string | undefined {
  const refused = checkHelloShape(hello(fields), peerPid);
  if (refused === undefined) return undefined;
  assert.equal(refused.retryAfterMs, undefined, "no hint");
  return `${refused.code} ${refused.reason}`;
}

const PROTOCOL = "1 client protocol range does not include v1";
const SERVICE = "6 invalid service_name";
const VERSION = "6 invalid wanted_version";
const CLIENT_VERSION = "6 client_version exceeds 128 bytes";
const CLIENT_LIB = "6 client_lib fields exceed 64 bytes";
const PEER = "6 peer_pid does not match verified peer";

test("a Hello in order is not refused", () => {
  assert.equal(verdict({}), undefined);
});

test("the protocol range has to include 1, and 0 is a minimum but no maximum", () => {
  for (
    const [clientMinProtocol, clientMaxProtocol] of [[0, 1], [1, 1], [1, 9], [0, 4_294_967_295]] as const
  ) {
    assert.equal(verdict({ clientMinProtocol, clientMaxProtocol }), undefined);
  }
  for (const [clientMinProtocol, clientMaxProtocol] of [[0, 0], [1, 0], [2, 2], [2, 1], [2, 9]] as const) {
    assert.equal(verdict({ clientMinProtocol, clientMaxProtocol }), PROTOCOL);
  }
});

test("a service name has 1 to 64 of a-z, 0-9 and -", () => {
  for (const serviceName of ["a", "my-daemon-2", "x".repeat(64)]) {
    assert.equal(verdict({ serviceName }), undefined);
  }
  for (const serviceName of ["", "x".repeat(65), "My", "a_b", "a b", "../a", "ä", "a\0"]) {
    assert.equal(verdict({ serviceName }), SERVICE, JSON.stringify(serviceName));
  }
});

test("a wanted version has three numbers and perhaps a tail, in at most 64 bytes", () => {
  const longest = `1.2.${"3".repeat(60)}`;
  for (const wantedVersion of ["1.2.3", "0.0.0", "1.2.3-rc.1", longest]) {
    assert.equal(verdict({ wantedVersion }), undefined);
  }
  const bad = [
    "",
    "1.2",
    "1.2.3.4",
    "v1.2.3",
    "1.2.x",
    "1.2.3-",
    "1.2.3-RC",
    "1.2.3+b",
    `${longest}3`,
    wide(64),
  ];
  for (const wantedVersion of bad) {
    assert.equal(verdict({ wantedVersion }), VERSION, JSON.stringify(wantedVersion));
  }
});

test("a client version is anything of at most 128 bytes", () => {
  for (const clientVersion of ["", "anything at all", "x".repeat(128), wide(128)]) {
    assert.equal(verdict({ clientVersion }), undefined);
  }
  for (const clientVersion of ["x".repeat(129), wide(130), "x".repeat(127) + "ä"]) {
    assert.equal(verdict({ clientVersion }), CLIENT_VERSION);
  }
});

test("name and version of the client library have at most 64 bytes each", () => {
  assert.equal(verdict({ clientLibName: "x".repeat(64), clientLibVersion: wide(64) }), undefined);
  for (const text of ["x".repeat(65), wide(66), "x".repeat(63) + "€"]) {
    assert.equal(verdict({ clientLibName: text }), CLIENT_LIB);
    assert.equal(verdict({ clientLibVersion: text }), CLIENT_LIB);
  }
});

test("the limits count bytes: a lone surrogate has three, a pair four", () => {
  assert.equal(verdict({ clientLibName: "😀".repeat(16) }), undefined);
  assert.equal(verdict({ clientLibName: "😀".repeat(17) }), CLIENT_LIB);
  assert.equal(verdict({ clientLibName: "€".repeat(21) }), undefined);
  assert.equal(verdict({ clientLibName: "€".repeat(22) }), CLIENT_LIB);
});

test("a process id is compared only when both sides know one", () => {
  for (const [claimed, verified] of [[0, 0], [7, 0], [0, 7], [7, 7]] as const) {
    assert.equal(verdict({ peerPid: claimed }, verified), undefined);
  }
  assert.equal(verdict({ peerPid: 7 }, 8), PEER);
});

test("of several faults the first in the protocol's order is told", () => {
  const faults: [Fields, string][] = [
    [{ clientMinProtocol: 2, clientMaxProtocol: 2 }, PROTOCOL],
    [{ serviceName: "" }, SERVICE],
    [{ wantedVersion: "" }, VERSION],
    [{ clientVersion: "x".repeat(129) }, CLIENT_VERSION],
    [{ clientLibName: "x".repeat(65), clientLibVersion: "x".repeat(65) }, CLIENT_LIB],
    [{ peerPid: 7 }, PEER],
  ];
  for (let first = 0; first < faults.length; first++) {
    const fields = Object.assign({}, ...faults.slice(first).map(([fault]) => fault));
    assert.equal(verdict(fields, 8), faults[first]![1]);
  }
});
