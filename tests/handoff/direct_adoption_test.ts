import assert from "node:assert/strict";
import { test } from "node:test";
import { adoptDirectly, type OfferedEnd } from "../../src/handoff/direct_adoption.ts";
import { SpentTokens } from "../../src/handoff/spent_tokens.ts";
import { tokenOf } from "./_support.ts";

/** An offered connection that notes what is done with it. */
class FakeEnd implements OfferedEnd {
  readonly calls: string[] = [];
  isGone = false;
  failure: string | undefined;

  isHungUp(): boolean {
    this.calls.push("look");
    return this.isGone;
  }

  writeReady(): string | undefined {
    this.calls.push("ready");
    return this.failure;
  }
}

test("rule 5: the token, then the client's presence, then the ready event, and then it is served", () => {
  const end = new FakeEnd();
  assert.deepEqual(adoptDirectly(new SpentTokens(), tokenOf(1), end, 0), { kind: "adopt" });
  assert.deepEqual(end.calls, ["look", "ready"]);
});

test("rule 5: a client that has gone gets no ready event", () => {
  const end = new FakeEnd();
  end.isGone = true;
  const verdict = adoptDirectly(new SpentTokens(), tokenOf(1), end, 0);
  assert.ok(verdict.kind === "refuse");
  assert.equal(verdict.reason, "connection-eof");
  assert.deepEqual(end.calls, ["look"]);
});

test("rule 5: a ready event that did not leave whole is a refusal", () => {
  const end = new FakeEnd();
  end.failure = "send returned EPIPE";
  const verdict = adoptDirectly(new SpentTokens(), tokenOf(1), end, 0);
  assert.ok(verdict.kind === "refuse");
  assert.equal(verdict.reason, "ready-failed");
  assert.match(verdict.detail, /EPIPE/);
});

test("rule 24: a token is used up by its first offer, whatever came of that", () => {
  const [good, gone, failing] = [new FakeEnd(), new FakeEnd(), new FakeEnd()];
  gone.isGone = true;
  failing.failure = "send returned EAGAIN";
  for (const [at, first] of [good, gone, failing].entries()) {
    const spent = new SpentTokens();
    adoptDirectly(spent, tokenOf(at), first, 0);
    const again = new FakeEnd();
    const verdict = adoptDirectly(spent, tokenOf(at), again, 1);
    assert.ok(verdict.kind === "refuse");
    assert.equal(verdict.reason, "token-rejected");
    assert.deepEqual(again.calls, [], "its connection is not even looked at");
    assert.equal(adoptDirectly(spent, tokenOf(at + 10), new FakeEnd(), 1).kind, "adopt");
  }
});
