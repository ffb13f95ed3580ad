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
    {
      kind: "connection-limit",
      peer: PEER,
      limit: "connections-per-process",
      isAnswered: true,
      connectionsOpen: 448,
    },
    "refused connection on /run/br.sock from peer pid=7 uid_or_sid=1000: " +
    "too many connections of this process; 448 are open",
  ],
  "fd-pressure": [
    { kind: "fd-pressure", isDemoted: true, detail: "none was left" },
    "out of file descriptors: none was left; Hellos are refused until there are some, raise the limit (ulimit -n)",
  ],
  "draining": [
    { kind: "draining", connectionsOpen: 3, deadlineMs: 10_000 },
    "stopping: 3 connections are open, 10000 ms for what is under way",
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
  "backend-idle-ended": [
    { kind: "backend-idle-ended", ...BACKEND, pid: 42, idleMs: 30_001 },
    "backend svc 1.2.3 (process 42) ends: idle for 30001 ms",
  ],
  "backend-kept": [
    { kind: "backend-kept", ...BACKEND, pid: 42, detail: "connections open: 2" },
    "backend svc 1.2.3 (process 42) is idle and goes on: connections open: 2",
  ],
  "backend-signalled": [
    { kind: "backend-signalled", ...BACKEND, pid: 42, signal: "SIGTERM" },
    "backend svc 1.2.3 (process 42) did not end: SIGTERM",
  ],
  "broadcast": [
    { kind: "broadcast", order: "Quiesce", acks: 3, timeouts: 1, failures: 2, skippedDead: 4 },
    "order Quiesce: 3 acks, 1 timeouts, 2 failures, 4 dead",
  ],
  "lifecycle-log-failed": [
    { kind: "lifecycle-log-failed", path: "/state/lifecycle.jsonl", detail: "no room" },
    "lifecycle log /state/lifecycle.jsonl cannot be written: no room",
  ],
  "backend-launch-failed": [
    { kind: "backend-launch-failed", ...BACKEND, detail: "ENOENT", durationUs: 1 },
    "backend svc 1.2.3 not launched: ENOENT",
  ],
  "backend-adopted": [
    { kind: "backend-adopted", ...BACKEND, pid: 42 },
    "backend svc 1.2.3 adopted: process 42",
  ],
  "backend-record-stale": [
    { kind: "backend-record-stale", record: "/run/svc.backend", ...BACKEND, detail: "it has ended" },
    "record /run/svc.backend not used: it has ended",
  ],
  "backend-record-unwritten": [
    { kind: "backend-record-unwritten", ...BACKEND, detail: "EACCES" },
    "backend svc 1.2.3 not recorded: EACCES",
  ],
  "handoff-limit": [
    { kind: "handoff-limit", ...BACKEND, handoffsPending: 64 },
    "handoff fallback: 64 handoffs to backend svc 1.2.3 are pending: the client reconnects",
  ],
  "handoff-channel": [
    { kind: "handoff-channel", ...BACKEND, pid: 42 },
    "backend svc 1.2.3 (process 42) takes connections on a channel",
  ],
  "handoff-channel-lost": [
    { kind: "handoff-channel-lost", ...BACKEND, pid: 42, detail: "the backend closed the channel" },
    "backend svc 1.2.3 (process 42): channel lost: the backend closed the channel",
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
