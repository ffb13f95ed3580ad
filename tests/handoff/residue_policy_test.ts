import assert from "node:assert/strict";
import test from "node:test";
import { decideResidue, type ResidueInputs } from "../../src/handoff/residue_policy.ts";

const plain: ResidueInputs = {
  mode: "relay",
  residueBytes: 0,
  isEarlyDataAnnounced: false,
  isBackendKnownToTakeResidue: false,
};

test("decideResidue() offers a connection with nothing behind its Hello", () => {
  for (const mode of ["relay", "direct-ready"] as const) {
    assert.deepEqual(decideResidue({ ...plain, mode }), { kind: "offer" });
  }
});

test("rule 2: residue goes to a backend known to take it, or nowhere", () => {
  const early = { ...plain, mode: "direct-ready", isEarlyDataAnnounced: true } as const;
  for (const residueBytes of [0, 1, 700]) {
    assert.equal(decideResidue({ ...early, residueBytes }).kind, "no-offer");
    const known = { ...early, residueBytes, isBackendKnownToTakeResidue: true };
    assert.equal(decideResidue(known).kind, "offer");
  }
});

test("rule 2: bytes behind the Hello that nobody announced forbid any offer", () => {
  for (const mode of ["relay", "direct-ready"] as const) {
    for (const isBackendKnownToTakeResidue of [false, true]) {
      const decision = decideResidue({ ...plain, mode, residueBytes: 3, isBackendKnownToTakeResidue });
      assert.equal(decision.kind, "no-offer");
    }
  }
});

test("rule 3: announced early data forbids an offer in relay mode, read or not", () => {
  for (const residueBytes of [0, 9]) {
    for (const isBackendKnownToTakeResidue of [false, true]) {
      const inputs = { ...plain, residueBytes, isEarlyDataAnnounced: true, isBackendKnownToTakeResidue };
      assert.equal(decideResidue(inputs).kind, "no-offer");
    }
  }
});
