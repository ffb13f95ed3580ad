import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { renderAdminReply } from "../../../src/broker/admin/admin_reply.ts";
import { MetricRegistry } from "../../../src/broker/metrics/registry.ts";
import { renderOpenMetrics } from "../../../src/broker/metrics/render_openmetrics.ts";
import { decodeAdminRequest, encodeAdminReply } from "../../../src/wire/admin_frames.ts";
import {
  type Frame,
  FrameKind,
  FrameSchema,
  PayloadEncoding,
} from "../../../src/wire/gen/broker_v1_envelope_pb.ts";
import { fromHex, goldenVersions, toHex } from "../../support/golden.ts";
import { type GoldenFrame, goldenSnapshot, loadAdminVectors } from "./golden_admin.ts";

function frameOf(frame: GoldenFrame): Frame {
  return create(FrameSchema, {
    envelopeVersion: frame.envelope_version,
    kind: (frame.kind ?? FrameKind.REQUEST) as FrameKind,
    payload: fromHex(frame.payload ?? ""),
    payloadEncoding: (frame.payload_encoding ?? PayloadEncoding.NONE) as PayloadEncoding,
    payloadProtocol: frame.payload_protocol,
    requestId: BigInt(frame.request_id ?? 0),
    traceparent: frame.traceparent ?? "",
  });
}

for (const version of goldenVersions) {
  const { exchanges, malformed } = loadAdminVectors(version);

  test(`renderAdminReply() gives the reference's answer to each request of ${version}`, () => {
    assert.ok(exchanges.length > 0);
    for (const { id, snapshot: name, request, reply } of exchanges) {
      const snapshot = goldenSnapshot(name, exchanges);
      const question = {
        verb: request.verb,
        json: request.json,
        serviceName: request.service_name,
        outputPath: request.output_path,
      };
      const rendered = renderAdminReply(
        question,
        snapshot,
        renderOpenMetrics(new MetricRegistry(), snapshot),
      );
      assert.deepEqual(rendered, {
        kind: reply.kind,
        contentType: reply.content_type,
        exitCode: reply.exit_code,
        body: reply.body,
      }, id);
    }
  });

  test(`an admin request's bytes lead to the reference's reply bytes of ${version}`, () => {
    for (const { id, snapshot: name, request_frame, reply_wire } of exchanges) {
      const snapshot = goldenSnapshot(name, exchanges);
      const frame = frameOf(request_frame);
      const decoded = decodeAdminRequest(frame);
      assert.ok(decoded.ok, id);
      const metricsText = renderOpenMetrics(new MetricRegistry(), snapshot);
      const wire = encodeAdminReply(frame, renderAdminReply(decoded.request, snapshot, metricsText));
      assert.equal(toHex(wire), reply_wire, id);
    }
  });

  test(`a frame without an admin request gets no answer but the reference's error of ${version}`, () => {
    assert.ok(malformed.length > 0);
    for (const { id, request_frame, error } of malformed) {
      const decoded = decodeAdminRequest(frameOf(request_frame));
      assert.ok(!decoded.ok, id);
      assert.equal(decoded.detail, error, id);
    }
  });
}
