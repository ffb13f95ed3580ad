import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { BrokerError } from "../../src/errors.ts";
import { bareEndpoint, endpointAddresses, endpointPlace } from "../../src/naming/endpoint_address.ts";

const SINGLE = "\\\\.\\pipe\\rpb-v1-x";
const DOUBLED = "\\\\.\\pipe\\\\\\.\\pipe\\rpb-v1-x";

test("endpointAddresses() on Unix takes the string as it is", () => {
  for (const path of ["/run/x.sock", "x.sock", SINGLE, ""]) {
    assert.deepEqual(endpointAddresses(path, "linux"), [path]);
    assert.deepEqual(endpointAddresses(path, "macos"), [path]);
  }
});

test("endpointAddresses() on Windows gives a bare name one prefix", () => {
  assert.deepEqual(endpointAddresses("rpb-v1-x", "windows"), [SINGLE]);
});

test("endpointAddresses() on Windows tries a prefixed name singly, then doubly prefixed", () => {
  assert.deepEqual(endpointAddresses(SINGLE, "windows"), [SINGLE, DOUBLED]);
  assert.deepEqual(endpointAddresses("//./PIPE/rpb-v1-x", "windows"), [SINGLE, DOUBLED]);
});

test("endpointAddresses() on Windows tries a doubly prefixed name as it is first", () => {
  assert.deepEqual(endpointAddresses(DOUBLED, "windows"), [DOUBLED, SINGLE]);
});

test("bareEndpoint() drops every pipe prefix on Windows and nothing on Unix", () => {
  assert.equal(bareEndpoint(DOUBLED, "windows"), "rpb-v1-x");
  assert.equal(bareEndpoint("rpb-v1-x", "windows"), "rpb-v1-x");
  assert.equal(bareEndpoint(SINGLE, "linux"), SINGLE);
});

test("endpointAddresses() and bareEndpoint() agree on every name", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9-]{1,40}$/), fc.nat(2), (name, prefixes) => {
    const endpoint = "\\\\.\\pipe\\".repeat(prefixes) + name;
    assert.equal(bareEndpoint(endpoint, "windows"), name);
    const addresses = endpointAddresses(endpoint, "windows");
    assert.ok(addresses.includes(`\\\\.\\pipe\\${name}`));
    assert.equal(addresses.length, prefixes === 0 ? 1 : 2);
  }));
});

test("endpointPlace() refuses an empty path and a prefixed pipe name", () => {
  assert.deepEqual(endpointPlace("linux", "shared", "/x.sock"), { namespaceId: "shared", path: "/x.sock" });
  assert.deepEqual(endpointPlace("windows", "shared", "x"), { namespaceId: "shared", path: "x" });
  assert.deepEqual(endpointPlace("linux", "shared", SINGLE), { namespaceId: "shared", path: SINGLE });
  for (const refused of ["", SINGLE, SINGLE.toUpperCase(), "//./pipe/x"]) {
    assert.throws(() => endpointPlace("windows", "shared", refused), BrokerError);
  }
  assert.throws(() => endpointPlace("linux", "shared", ""), BrokerError);
});
