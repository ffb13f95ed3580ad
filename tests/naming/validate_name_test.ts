import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { EndpointNameError } from "../../src/naming/endpoint_name_error.ts";
import {
  requireName,
  serviceNameFault,
  userHashFault,
  utf8Length,
  versionFault,
} from "../../src/naming/validate_name.ts";

const LENGTH_REASON = "service name must be 64 characters or fewer";
const CHARACTER_REASON = "only lowercase ASCII letters, digits, and '-' allowed";

test("serviceNameFault() accepts exactly 1 to 64 of a-z, 0-9 and dash", () => {
  const name = fc.stringMatching(/^[a-z0-9-]{1,64}$/);
  fc.assert(fc.property(name, (text) => serviceNameFault(text) === undefined));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(serviceNameFault(text) === undefined, /^[a-z0-9-]{1,64}$/.test(text));
  }));
});

test("serviceNameFault() counts bytes and reports the length before the characters", () => {
  assert.equal(serviceNameFault("a".repeat(64)), undefined);
  assert.equal(serviceNameFault("a".repeat(65)), LENGTH_REASON);
  assert.equal(serviceNameFault("é".repeat(32)), CHARACTER_REASON);
  assert.equal(serviceNameFault("é".repeat(33)), LENGTH_REASON);
});

test("serviceNameFault() reports the first offending character", () => {
  assert.match(serviceNameFault("aB_")!, /^uppercase letters are forbidden/);
  assert.equal(serviceNameFault("a_B"), CHARACTER_REASON);
  assert.equal(serviceNameFault("É"), CHARACTER_REASON);
  assert.equal(serviceNameFault("a\n"), CHARACTER_REASON);
});

test("versionFault() accepts exactly MAJOR.MINOR.PATCH with an optional pre-release", () => {
  const version = fc.stringMatching(/^[0-9]{1,30}\.[0-9]{1,3}\.[0-9]{1,3}(-[a-z0-9.]{1,9})?$/);
  fc.assert(fc.property(version, (text) => versionFault(text) === undefined));
  const near = fc.string({
    unit: fc.constantFrom("0", "1", ".", "-", "a", "+", "A", " ", "\n"),
    maxLength: 9,
  });
  fc.assert(fc.property(near, (text) => {
    const good = /^[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$/.test(text);
    assert.equal(versionFault(text) === undefined, good);
  }));
});

test("userHashFault() takes 16 lower-case hexadecimal characters only", () => {
  assert.equal(userHashFault("0123456789abcdef"), undefined);
  assert.equal(userHashFault("0123456789abcdeF"), "user_sid_hash must be lowercase hex");
  assert.equal(userHashFault("0123456789abcdé"), "user_sid_hash must be lowercase hex");
  assert.equal(userHashFault("é23456789abcdef0"), "user_sid_hash must be exactly 16 hex characters");
  assert.equal(userHashFault(""), "user_sid_hash must be exactly 16 hex characters");
});

test("requireName() throws the reference's text", () => {
  requireName(serviceNameFault, "good");
  assert.throws(() => requireName(serviceNameFault, 'a"b\n'), (error) => {
    assert.ok(error instanceof EndpointNameError);
    assert.equal(error.kind, "InvalidName");
    assert.equal(error.code, "config");
    assert.equal(error.detail, `invalid name "a\\"b\\n": ${CHARACTER_REASON}`);
    return true;
  });
});

test("utf8Length() counts bytes", () => {
  assert.equal(utf8Length("aé日😀"), 1 + 2 + 3 + 4);
});
