import assert from "node:assert/strict";
import test from "node:test";
import { concatBytes } from "../../src/wire/bytes.ts";
import { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import { encodeFramedBody } from "../../src/wire/framing.ts";
import { toHex } from "../support/golden.ts";
import { chunksOf } from "./chunk_source.ts";
import { checkStreamVectors, streamFailure } from "./stream_vectors.ts";

checkStreamVectors("createFirstFrameReader()", (chunks, frameBytesMax) => {
  const reader = createFirstFrameReader({ frameBytesMax });
  for (const [index, chunk] of chunks.entries()) {
    const step = reader.push(chunk);
    if (step.kind === "error") return streamFailure(step.error);
    if (step.kind === "need-more") continue;
    const behind = chunks.slice(index + 1).map(toHex).join("");
    return { body: toHex(step.body), rest: toHex(step.residue) + behind };
  }
  return streamFailure(reader.endOfStream());
});

test("createFirstFrameReader() copies body and residue, at every split", () => {
  const wire = concatBytes(encodeFramedBody(Uint8Array.of(1, 2, 3)), Uint8Array.of(9, 9));
  for (let split = 0; split <= wire.length; split++) {
    const reader = createFirstFrameReader();
    let body: string | undefined;
    let behind = "";
    for (const chunk of chunksOf(wire, [split])) {
      if (body !== undefined) {
        behind += toHex(chunk);
        continue;
      }
      const step = reader.push(chunk);
      chunk.fill(255);
      if (step.kind !== "frame") continue;
      body = toHex(step.body);
      behind += toHex(step.residue);
    }
    assert.equal(`${body} ${behind}`, "010203 0909", `split at ${split}`);
  }
});

test("createFirstFrameReader() takes nothing more once it is done", () => {
  for (const wire of [encodeFramedBody(Uint8Array.of()), Uint8Array.of(3)]) {
    const reader = createFirstFrameReader();
    assert.notEqual(reader.push(wire).kind, "need-more");
    assert.throws(() => reader.push(Uint8Array.of(1)), /complete or refused/);
  }
});
