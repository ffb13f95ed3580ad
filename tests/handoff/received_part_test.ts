import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { expectPart, extendPart, joinPart } from "../../src/handoff/received_part.ts";

test("a received part joins its pieces in order, copied, leaving earlier states alone", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40, size: "max" }), fc.array(fc.nat(40)), (bytes, cuts) => {
      const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      let part = expectPart(bytes.length);
      const states = [part];
      for (let i = 1; i < edges.length; i++) {
        const piece = bytes.slice(edges[i - 1], edges[i]);
        part = extendPart(part, piece);
        states.push(part);
        piece.fill(0xee);
      }
      assert.deepEqual(joinPart(part), Uint8Array.from(bytes));
      states.forEach((state, i) => assert.equal(state.missing, bytes.length - edges[i]!));
    }),
  );
});
