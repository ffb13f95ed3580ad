import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  platformUuidInIoregOutput,
  sidBytes,
  sidInWhoamiOutput,
  unixUserIdentity,
  userHash,
  windowsUserIdentity,
} from "../../src/naming/user_identity.ts";
import { fromHex, toHex } from "../support/golden.ts";

test("userHash() of a Unix user hashes uid and machine id", () => {
  assert.equal(userHash(unixUserIdentity(0, "3d1219c7c4c5404aaa1f6d2a48adfda4")), "fabb4490c21b4bbc");
});

test("userHash() of a Windows user hashes the raw identifier in hexadecimal", () => {
  assert.equal(windowsUserIdentity(fromHex("0105")), "windows-sid:0105");
  assert.equal(userHash(windowsUserIdentity(fromHex("0105"))), "e92dfff7612830c0");
});

test("windowsUserIdentity() refuses an implausible length", () => {
  assert.throws(() => windowsUserIdentity(new Uint8Array(0)), RangeError);
  assert.throws(() => windowsUserIdentity(new Uint8Array(1025)), RangeError);
  assert.equal(windowsUserIdentity(new Uint8Array(1024)).length, "windows-sid:".length + 2048);
});

test("sidBytes() lays an identifier out as Windows does", () => {
  // The well-known identifiers of LocalSystem and of the built-in administrators.
  assert.equal(toHex(sidBytes("S-1-5-18")!), "010100000000000512000000");
  assert.equal(toHex(sidBytes("S-1-5-32-544")!), "01020000000000052000000020020000");
});

test("sidBytes() refuses what is no identifier", () => {
  for (const text of ["", "S-1", "S-2-5-18", "S-1-5-", "S-1-5-4294967296", `S-1-${2n ** 48n}`, "S-1-5-18 "]) {
    assert.equal(sidBytes(text), undefined, text);
  }
  assert.equal(sidBytes(`S-1-5${"-1".repeat(16)}`), undefined);
});

test("sidBytes() keeps every sub-authority", () => {
  const parts = fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 15 });
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 48n - 1n }), parts, (authority, values) => {
    const bytes = sidBytes(`S-1-${authority}-${values.join("-")}`)!;
    const view = new DataView(bytes.buffer);
    assert.equal((BigInt(view.getUint16(2)) << 32n) + BigInt(view.getUint32(4)), authority);
    assert.deepEqual(values.map((_, index) => view.getUint32(8 + 4 * index, true)), values);
    assert.equal(bytes[1], values.length);
  }));
});

test("sidInWhoamiOutput() finds the identifier behind any user name", () => {
  assert.equal(sidInWhoamiOutput('"host\\some, ""user""","S-1-5-21-1-2-3-1001"\r\n'), "S-1-5-21-1-2-3-1001");
  assert.equal(sidInWhoamiOutput("nothing"), undefined);
});

test("platformUuidInIoregOutput() finds the machine's id", () => {
  const output = `+-o MacBookPro <class IOPlatformExpertDevice>
    {
      "IOBusyInterest" = "IOCommand is not serializable"
      "IOPlatformUUID" = "00000000-1111-2222-3333-444444444444"
    }`;
  assert.equal(platformUuidInIoregOutput(output), "00000000-1111-2222-3333-444444444444");
  assert.equal(platformUuidInIoregOutput('"IOPlatformSerialNumber" = "C02"'), undefined);
});
