import assert from "node:assert/strict";
import test from "node:test";
import { writeBody } from "../../src/cli/stdio.ts";

/** A stdout that takes three bytes at a time, and on every other try none. */
function slowReader() {
  const taken: number[] = [];
  let tries = 0;
  const writeSome = (bytes: Uint8Array, offset: number) => {
    if (tries++ % 2 === 1) throw failure("EAGAIN");
    const part = bytes.subarray(offset, offset + 3);
    taken.push(...part);
    return part.length;
  };
  return { writeSome, text: () => new TextDecoder().decode(Uint8Array.from(taken)) };
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

for (
  const [body, wanted] of [["", "\n"], ["ok", "ok\n"], ["ok\n", "ok\n"], ["a\n\n", "a\n\n"], ["é\r", "é\r\n"]]
) {
  test(`writeBody() writes ${JSON.stringify(body)} whole to a slow reader, ending in one line end at least`, async () => {
    const reader = slowReader();
    await writeBody(body!, reader.writeSome);
    assert.equal(reader.text(), wanted);
  });
}

test("writeBody() is done when the reader has gone, and fails for any other reason", async () => {
  let tries = 0;
  const broken = (code: string) => (bytes: Uint8Array) => {
    // Who goes on trying gets rid of it in the end, which nobody may.
    if (++tries > 3) return bytes.length;
    throw failure(code);
  };
  await writeBody("ok", broken("EPIPE"));
  assert.equal(tries, 1);
  await assert.rejects(writeBody("ok", broken("ENOSPC")), /ENOSPC/);
});
