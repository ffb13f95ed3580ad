import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { connectLocalSocket, sendAdminRequest } from "../../../mod.ts";
import { renderAdminReply } from "../../../src/broker/admin/admin_reply.ts";
import { inodePressure } from "../../../src/broker/inode_pressure.ts";
import { decodeAdminReply, encodeAdminRequest } from "../../../src/wire/admin_frames.ts";
import { AdminReplyKind, AdminVerb } from "../../../src/wire/gen/broker_v1_admin_pb.ts";
import { readFrame } from "../../../src/wire/read_frame.ts";
import { startLocalBackend, startLocalBroker } from "../../faults/local_pair.ts";
import { SERVICE, VERSION } from "../../support/topology.ts";
import { WAIT, within } from "../../support/waiting.ts";
import { goldenBackend, RICH_SNAPSHOT } from "./golden_admin.ts";

const STATUS = { verb: AdminVerb.STATUS, json: true };

function say(verb: AdminVerb) {
  const question = { verb, json: true, serviceName: "", outputPath: "" };
  return JSON.parse(renderAdminReply(question, RICH_SNAPSHOT, "").body);
}

test("STATUS carries schema version, command, instance and a row for each backend", () => {
  const said = say(AdminVerb.STATUS);
  assert.deepEqual([said.schema_version, said.command, said.broker_instance], [1, "status", "shared"]);
  const { serviceName, serviceVersion, pid } = goldenBackend();
  assert.equal(said.backends.length, RICH_SNAPSHOT.backends.length);
  const row = said.backends.find((each: { service_name: string }) => each.service_name === serviceName);
  assert.deepEqual([row.service_version, row.pid, row.state], [serviceVersion, pid, "running"]);
});

test("CONFIG gives each leaf its value and where that comes from", () => {
  const { broker, protocol, limits, paths, spawn_budget: budget, diagnostics } = say(AdminVerb.CONFIG).values;
  assert.deepEqual(broker.accepting_hello, { source: "runtime", value: true });
  assert.deepEqual(protocol.envelope_version, { source: "protocol-v1", value: 1 });
  assert.deepEqual(limits.max_hello_bytes, { source: "protocol-v1", value: 65_536 });
  assert.deepEqual(budget.default_attempts_per_window, { source: "default", value: 3 });
  assert.equal(diagnostics.bundle_format.source, "schema-v1");
  assert.equal(paths.service_definition_dir.source, "platform-default");
  const leaves = [broker, protocol, limits, paths, budget, diagnostics].flatMap((group) =>
    Object.values(group)
  );
  for (const leaf of leaves) assert.deepEqual(Object.keys(leaf as object), ["source", "value"]);
});

test("the inode figures of this host are supported on Unix, and the free ones no more than all", async () => {
  const seen = await inodePressure("/no/such/folder/yet");
  if (process.platform === "win32") return assert.equal(seen.supported, false);
  assert.ok(seen.supported);
  assert.ok(seen.inodesTotal > 0n && seen.inodesFree <= seen.inodesTotal);
});

describe("a running broker", () => {
  test("an admin connection gets exactly one framed reply, then the end", async () => {
    await using backend = await startLocalBackend();
    await using broker = await startLocalBroker(backend);
    const stream = await connectLocalSocket(broker.endpoint, WAIT);
    await stream.write(encodeAdminRequest({ verb: AdminVerb.HEALTHZ }));
    const decoded = decodeAdminReply(await within("the reply", readFrame(stream)));
    assert.ok(decoded.ok);
    assert.deepEqual([decoded.reply.kind, decoded.reply.body], [AdminReplyKind.TEXT, "ok\n"]);
    assert.equal(await within("the end", stream.read()), null);
    stream.close();
    assert.equal(broker.events.of("admin").length, 1);
  });

  test("a running broker's STATUS has a row for its live backend, and its connections", async () => {
    await using backend = await startLocalBackend();
    await using broker = await startLocalBroker(backend);
    const status = JSON.parse((await sendAdminRequest(broker.endpoint, STATUS)).body);
    assert.deepEqual([status.accepting_hello, status.connections_open], [true, 1]);
    const [row] = status.backends;
    assert.deepEqual(
      [row.service_name, row.service_version, row.backend_pipe, row.pid, row.state],
      [SERVICE, VERSION, backend.endpoint, process.pid, "running"],
    );
  });

  test("sendAdminRequest() gets the reply that the broker gave, field for field", async () => {
    await using backend = await startLocalBackend();
    await using broker = await startLocalBroker(backend);
    const { kind, contentType, exitCode, body } = await sendAdminRequest(broker.endpoint, STATUS);
    assert.deepEqual([kind, contentType, exitCode], [AdminReplyKind.JSON, "application/json", 0]);
    assert.equal(JSON.parse(body).command, "status");
    const text = await sendAdminRequest(broker.endpoint, { verb: AdminVerb.READYZ });
    assert.deepEqual([text.kind, text.exitCode, text.body], [AdminReplyKind.TEXT, 0, "ready\n"]);
  });
});
