import assert from "node:assert/strict";
import test from "node:test";
import { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import type { FakeClient } from "./fake_client.ts";
import { Negotiation } from "./_negotiation.ts";

function negotiatedOf(client: FakeClient) {
  assert.equal(client.written.length, 1);
  const reply = decodeHelloReply(client.written[0]!.subarray(5));
  assert.ok(reply.kind === "negotiated", reply.kind);
  return reply.negotiated;
}

test("a Hello that can be handed over leaves one awaited ACK, of its service, with a deadline to come", async () => {
  const broker = new Negotiation();
  const { client, served } = broker.connect();
  assert.equal(await broker.dialled.promise, "/run/ho.sock");
  const token = HandoffToken.fromBytes(negotiatedOf(client).handlePassedToken);
  assert.ok(token !== undefined);
  const { acks, tokens } = broker.books;
  assert.deepEqual(acks.pendingBackend(token), { serviceName: "svc", backendPid: 4242 });
  assert.deepEqual([acks.pendingLength, acks.deadlineMsOf(token)], [1, 5_000]);
  broker.dial.reject(new Error("no backend"));
  await served;
  assert.deepEqual([acks.pendingLength, tokens.pendingLength], [0, 0]);
});

test("a Hello without the capability leaves no awaited ACK and has no token", async () => {
  const broker = new Negotiation();
  const { client, served } = broker.connect(0n);
  await served;
  assert.equal(negotiatedOf(client).handlePassedToken.length, 0);
  assert.deepEqual([broker.books.acks.pendingLength, broker.books.tokens.pendingLength], [0, 0]);
});

test("a failed handoff leaves the way through the backend's endpoint to every later client", async () => {
  const broker = new Negotiation();
  broker.dial.promise.catch(() => {});
  broker.dial.reject(new Error("no backend"));
  const seen: [string, string][] = [];
  for (let round = 0; round < 12; round++) {
    const { client, served } = broker.connect();
    await served;
    const { backendPipe, handlePassedToken } = negotiatedOf(client);
    seen.push([backendPipe, handlePassedToken.length === 0 ? "no token" : "token"]);
    assert.equal(client.endings.length, 1);
  }
  assert.deepEqual([...new Set(seen.map(([pipe]) => pipe))], [broker.backend.backendPipe]);
  assert.deepEqual(seen.map(([, token]) => token), [...Array(8).fill("token"), ...Array(4).fill("no token")]);
  assert.deepEqual([broker.books.acks.pendingLength, broker.books.tokens.pendingLength], [0, 0]);
});

test("each failed handoff had a token of its own, and the same endpoint beside it", async () => {
  const broker = new Negotiation();
  broker.dial.promise.catch(() => {});
  broker.dial.reject(new Error("no backend"));
  const tokens = new Set<string>();
  for (let round = 0; round < 5; round++) {
    const { client, served } = broker.connect();
    await served;
    const { backendPipe, handlePassedToken } = negotiatedOf(client);
    assert.equal(backendPipe, broker.backend.backendPipe);
    tokens.add(handlePassedToken.join());
  }
  assert.equal(tokens.size, 5);
});
