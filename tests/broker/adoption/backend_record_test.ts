import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  type BackendRecord,
  isSameCommand,
  parseRecord,
  recordOf,
  renderRecord,
} from "../../../src/broker/adoption/backend_record.ts";
import { BrokerError } from "../../../src/errors.ts";
import { backendOf } from "../_backends.ts";
import { ownIdentity } from "../_probed_backend.ts";
import { written } from "./_recorded.ts";

const COMMAND = { executable: "/usr/bin/tool", args: ["serve", "a b"] };

function makeRecord(fields: { handoffEndpoint?: string } = {}): BackendRecord {
  const identity = written(ownIdentity("/run/be.sock"));
  const found = { pid: identity.pid, startMark: "991" };
  return recordOf(
    backendOf({}, { ...fields, backendPipe: "/run/be.sock", identity, process: found }),
    COMMAND,
  );
}

/** A record's text with some of its fields changed. */
function changed(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...JSON.parse(renderRecord(makeRecord())), ...fields });
}

test("parseRecord() reads what renderRecord() writes", () => {
  for (const fields of [{}, { handoffEndpoint: "/run/ho.sock" }]) {
    const record = makeRecord(fields);
    assert.deepEqual(parseRecord(renderRecord(record)), record);
  }
});

test("parseRecord() takes nothing that is no record or contradicts itself", () => {
  const wrong: [text: string, seen: RegExp][] = [
    ["", /no JSON/],
    ["[1", /no JSON/],
    ["7", /no JSON object/],
    ["null", /no JSON object/],
    [changed({ format: 2 }), /format is no 1/],
    [changed({ service: "" }), /"service" is missing/],
    [changed({ version: 7 }), /"version" is missing/],
    [changed({ instance_id: undefined }), /"instance_id" is missing/],
    [changed({ start_mark: 991 }), /"start_mark" is missing/],
    [changed({ executable: null }), /"executable" is missing/],
    [changed({ handoff_endpoint: 7 }), /"handoff_endpoint" is neither/],
    [changed({ args: "serve" }), /"args" is no list/],
    [changed({ args: [7] }), /"args" is no list/],
    [changed({ identity: undefined }), /identity/],
    [changed({ pid: 1 }), /process is not the one/],
    [changed({ endpoint: "/run/other.sock" }), /endpoint is not the one/],
    [changed({ instance_id: "private:svc" }), /endpoint is not the one/],
  ];
  for (const [text, seen] of wrong) {
    assert.throws(() => parseRecord(text), (error) => {
      assert.ok(BrokerError.is(error) && error.code === "protocol", String(error));
      assert.match(error.message, seen);
      return true;
    });
  }
});

test("parseRecord() throws nothing but its own error, whatever the text", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    assert.throws(() => parseRecord(text), (error) => BrokerError.is(error) && error.code === "protocol");
  }));
});

test("isSameCommand() compares the executable and every argument in its place", () => {
  assert.equal(isSameCommand(COMMAND, { ...COMMAND, args: [...COMMAND.args] }), true);
  assert.equal(isSameCommand(COMMAND, { ...COMMAND, executable: "/usr/bin/other" }), false);
  for (const args of [[], ["serve"], ["a b", "serve"], ["serve", "a b", ""]]) {
    assert.equal(isSameCommand(COMMAND, { ...COMMAND, args }), false, args.join());
  }
});
