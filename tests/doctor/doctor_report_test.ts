import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, pass, warn } from "../../src/doctor/doctor_check.ts";
import { DoctorReport } from "../../src/doctor/doctor_report.ts";

const GOOD = pass("env:EXAMPLE", "unset");
const ODD = warn("b", "unusual");
const BAD = fail("servicedef:bad.servicedef", "does not decode");

test("DoctorReport.exitCode is 1 for a failed check, and for nothing else", () => {
  assert.equal(new DoctorReport([]).exitCode, 0);
  assert.equal(new DoctorReport([GOOD, ODD]).exitCode, 0);
  assert.equal(new DoctorReport([GOOD, BAD, ODD]).exitCode, 1);
});

test("DoctorReport.toJson() is one line with sorted members and a row for each check", () => {
  assert.equal(
    new DoctorReport([GOOD, BAD]).toJson(),
    '{"checks":[{"check":"env:EXAMPLE","detail":"unset","status":"PASS"},' +
      '{"check":"servicedef:bad.servicedef","detail":"does not decode","status":"FAIL"}],' +
      '"command":"doctor","exit_code":1,"schema_version":1}',
  );
});

test("DoctorReport.toJson() adds the flags of a check that has some", () => {
  const { checks } = JSON.parse(new DoctorReport([{ ...GOOD, flags: { client: ["--x"] } }, ODD]).toJson());
  assert.deepEqual(Object.keys(checks[0]), ["check", "detail", "flags", "status"]);
  assert.deepEqual(checks[0].flags, { client: ["--x"] });
  assert.deepEqual(Object.keys(checks[1]), ["check", "detail", "status"]);
});

test("DoctorReport.toText() aligns the checks and counts them", () => {
  assert.equal(
    new DoctorReport([GOOD, ODD, BAD]).toText(),
    "PASS  env:EXAMPLE                unset\n" +
      "WARN  b                          unusual\n" +
      "FAIL  servicedef:bad.servicedef  does not decode\n" +
      "doctor: 3 checks — 1 pass, 1 warn, 1 fail\n",
  );
  assert.equal(new DoctorReport([]).toText(), "doctor: 0 checks — 0 pass, 0 warn, 0 fail\n");
});
