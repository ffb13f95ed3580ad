import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { logLine } from "../../src/cli/broker_log.ts";

const PEER = { pid: 7, uid: 1000, gid: 100 };
const BACKEND = { service: "svc", version: "1.2.3" };

/** Every kind of event, and its line if it has one. */
const LINES: { [Kind in BrokerEvent["kind"]]: [Extract<BrokerEvent, { kind: Kind }>, string | undefined] } = {
  "listening": [{ kind: "listening", endpoint: "/run/br.sock" }, "serving /run/br.sock"],
  "peer-dropped": [
    { kind: "peer-dropped", peer: PEER },
    "dropped connection on /run/br.sock from peer pid=7 uid_or_sid=1000: credential policy refused",
  ],
  "connection-limit": [
    { kind: "connection-limit", peer: PEER, connectionsOpen: 448 },
    "dropped connection on /run/br.sock from peer pid=7 uid_or_sid=1000: 448 connections are open",
  ],
  "connection-failed": [
    { kind: "connection-failed", peer: PEER, detail: "the client left" },
    "connection on /run/br.sock from peer pid=7 uid_or_sid=1000 failed: the client left",
  ],
  "handoff-fallback": [
    {
      kind: "handoff-fallback",
      connectionId: 5n,
      stage: "AwaitAck",
      reason: "BackendAckTimeout",
      detail: "no ACK before its deadline",
      durationUs: 9,
    },
    "handoff fallback: connection 5 at AwaitAck: no ACK before its deadline",
  ],
  "backend-lost": [{ kind: "backend-lost", ...BACKEND, pid: 42 }, "backend svc 1.2.3 (process 42) has ended"],
  "backend-verified": [{ kind: "backend-verified", ...BACKEND, pid: 42 }, "backend svc 1.2.3 is process 42"],
  "backend-rejected": [
    { kind: "backend-rejected", ...BACKEND, detail: "another uid" },
    "backend svc 1.2.3 not usable: another uid",
  ],
  "backend-launched": [
    { kind: "backend-launched", ...BACKEND, pid: 42, durationUs: 1 },
    "backend svc 1.2.3 launched as process 42",
  ],
  "backend-launch-failed": [
    { kind: "backend-launch-failed", ...BACKEND, detail: "ENOENT", durationUs: 1 },
    "backend svc 1.2.3 not launched: ENOENT",
  ],
  "hello": [
    {
      kind: "hello",
      peer: PEER,
      ...BACKEND,
      outcome: "negotiated",
      code: 0,
      connectionId: 1n,
      handoffAnnounced: true,
      durationUs: 1,
    },
    undefined,
  ],
  "admin": [{ kind: "admin", peer: PEER, verb: 1 }, undefined],
  "connection-passed": [
    { kind: "connection-passed", connectionId: 1n, native: "fd 14", handoffEndpoint: "/h", durationUs: 1 },
    undefined,
  ],
  "handoff-completed": [{ kind: "handoff-completed", connectionId: 1n, durationUs: 1 }, undefined],
};

test("what an operator should know is a line, and what happens all the time is none", () => {
  for (const [event, line] of Object.values(LINES)) {
    assert.equal(logLine(event, "/run/br.sock"), line, event.kind);
  }
});

test("a peer that is not known is called that", () => {
  const line = logLine({ kind: "peer-dropped", peer: undefined }, "/run/br.sock");
  assert.equal(line, "dropped connection on /run/br.sock from unknown peer: credential policy refused");
});
