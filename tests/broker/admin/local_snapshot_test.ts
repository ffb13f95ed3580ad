import assert from "node:assert/strict";
import test from "node:test";
import { renderAdminReply } from "../../../src/broker/admin/admin_reply.ts";
import { localSnapshot } from "../../../src/broker/admin/local_snapshot.ts";
import { AdminVerb } from "../../../src/wire/gen/broker_v1_admin_pb.ts";

const SNAPSHOT = localSnapshot({
  brokerPid: 7,
  generatedAtUnixMs: 1_700_000_000_000,
  inodePressure: { supported: false, detail: "not asked" },
  serviceDefinitionDir: { path: "/srv", source: "platform-default" },
});

function ask(verb: number, json = false) {
  return renderAdminReply({ verb, json, serviceName: "", outputPath: "" }, SNAPSHOT, "");
}

test("localSnapshot() is a broker called local that does not serve", () => {
  assert.equal(ask(AdminVerb.STATUS).body, "broker_instance: local\naccepting_hello: false\n");
  const ready = ask(AdminVerb.READYZ);
  assert.deepEqual([ready.body, ready.exitCode], ["not ready\n", 1]);
  const healthy = ask(AdminVerb.HEALTHZ);
  assert.deepEqual([healthy.body, healthy.exitCode], ["ok\n", 0]);
});

test("localSnapshot() has nothing to show", () => {
  assert.equal(
    ask(AdminVerb.STATUS, true).body,
    '{"accepting_hello":false,"backends":[],"broker_instance":"local","broker_pid":7,"command":"status",' +
      '"connections_open":0,"fd_pressure":{"demoted":false},"generated_at_unix_ms":1700000000000,' +
      '"inode_pressure":{"detail":"not asked","supported":false},"schema_version":1,"uptime_seconds":0.0}',
  );
});
