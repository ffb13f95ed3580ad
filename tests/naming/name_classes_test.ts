import assert from "node:assert/strict";
import test from "node:test";
import {
  backendName,
  explicitInstanceName,
  privateBrokerName,
  sharedBrokerName,
} from "../../src/naming/endpoint_name.ts";
import { endpointPath, PIPE_PREFIX } from "../../src/naming/endpoint_path.ts";
import { unixUserIdentity, userHash } from "../../src/naming/user_identity.ts";

const USER = "0123456789abcdef";
const RANDOM = new Uint8Array(16).fill(0xab);

function allNames(user: string): string[] {
  return [
    sharedBrokerName(user),
    privateBrokerName(user, "zccache"),
    explicitInstanceName(user, "ci-trusted"),
    backendName(user, RANDOM),
  ];
}

test("a user has one hash of 16 characters, and another user another", () => {
  const hash = (uid: number) => userHash(unixUserIdentity(uid, "machine"));
  assert.match(hash(1000), /^[0-9a-f]{16}$/);
  assert.equal(hash(1000), hash(1000));
  assert.notEqual(hash(1000), hash(1001));
  assert.notEqual(hash(1000), userHash(unixUserIdentity(1000, "another machine")));
});

test("the names of all four classes have the prefix of v1, and no two are the same", () => {
  const names = allNames(USER);
  for (const name of names) assert.ok(name.startsWith("rpb-v1-"), name);
  assert.equal(new Set(names).size, 4);
});

test("no two users' names are the same", () => {
  const names = [...allNames(USER), ...allNames("fedcba9876543210")];
  assert.equal(new Set(names).size, 8);
});

test("a name that differs by case only is refused, not merged", () => {
  assert.throws(() => privateBrokerName(USER, "ZCCache"), { kind: "InvalidName" });
  assert.ok(privateBrokerName(USER, "zccache").includes("zccache"));
});

test("the random part of a backend is its 32 hex digits", () => {
  assert.ok(backendName(USER, RANDOM).endsWith(`-be-${"ab".repeat(16)}`));
});

test("a macOS path ends in 16 hex digits, one for each class, and fits its kernel", () => {
  const host = {
    platform: "macos",
    uid: 501,
    environment: { TMPDIR: "/var/folders/zz/abcdefghijklmnop/T/" },
  } as const;
  const paths = [...allNames(USER), privateBrokerName(USER, "s".repeat(64))].map((name) =>
    endpointPath(name, host)
  );
  for (const path of paths) {
    assert.match(path, /\/[0-9a-f]{16}\.sock$/);
    assert.ok(path.length < 104, path);
  }
  assert.equal(new Set(paths).size, 5);
});

test("the longest Windows pipe stays under MAX_PATH without a long prefix", () => {
  const host = { platform: "windows", uid: 0, environment: {} } as const;
  const path = endpointPath(explicitInstanceName(USER, "n".repeat(64)), host);
  assert.ok(path.startsWith(PIPE_PREFIX) && !path.startsWith("\\\\?\\"), path);
  assert.ok(path.length < 260, `${path.length}`);
});
