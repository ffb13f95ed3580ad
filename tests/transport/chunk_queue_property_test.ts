import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChunkQueue } from "../../src/transport/chunk_queue.ts";

type Operation = { kind: "push" | "unshift"; length: number } | {
  kind: "read" | "end" | "fail" | "clear" | "give-up" | "read-given-up";
};

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), length: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("unshift" as const), length: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.constant({ kind: "read" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("end" as const, "fail" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("clear" as const, "give-up" as const, "read-given-up" as const),
    }),
  },
);

/** What a read came to, in one word: the chunk's name, or how it ended. */
type Outcome = string;

/** The queue as one would explain it, without promises: reads are numbered, outcomes are words. */
class NaiveQueue {
  chunks: string[] = [];
  end: Outcome | undefined;
  waiting: number | undefined;
  readonly outcomes: Outcome[] = [];

  push(chunk: string): void {
    if (this.end !== undefined) return;
    if (this.waiting === undefined) this.chunks.push(chunk);
    else this.settle(chunk);
  }

  finish(how: Outcome): void {
    if (this.end !== undefined) return;
    this.end = how;
    if (this.waiting !== undefined) this.settle(how);
  }

  read(): void {
    if (this.waiting !== undefined) this.outcomes.push("refused");
    else if (this.chunks.length > 0) this.outcomes.push(this.chunks.shift()!);
    else if (this.end !== undefined) this.outcomes.push(this.end);
    else this.waiting = this.outcomes.push("waiting") - 1;
  }

  settle(outcome: Outcome): void {
    this.outcomes[this.waiting!] = outcome;
    this.waiting = undefined;
  }
}

test("any order of calls has the outcomes of a naive queue", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const { naive, real } = play(operations);
      assert.deepEqual(await real, naive);
    }),
    { numRuns: 300 },
  );
});

/** Plays the operations in one go, so that promises settle only afterwards. */
function play(operations: readonly Operation[]): { naive: Outcome[]; real: Promise<Outcome[]> } {
  const naive = new NaiveQueue();
  const queue = new ChunkQueue();
  const reads: Promise<Outcome>[] = [];
  let controller = new AbortController();
  let serial = 0;
  for (const step of operations) {
    switch (step.kind) {
      case "push":
      case "unshift": {
        const name = String(++serial);
        queue[step.kind](new Uint8Array(step.length).fill(serial));
        if (step.length === 0) break;
        if (step.kind === "push") naive.push(name);
        else naive.chunks.unshift(name);
        break;
      }
      case "read":
        naive.read();
        reads.push(outcomeOf(queue.read(controller.signal)));
        break;
      case "read-given-up": {
        if (naive.waiting === undefined) naive.outcomes.push("given up");
        else naive.outcomes.push("refused");
        reads.push(outcomeOf(queue.read(AbortSignal.abort(new Error("given up")))));
        break;
      }
      case "give-up":
        if (naive.waiting !== undefined) naive.settle("given up");
        controller.abort(new Error("given up"));
        controller = new AbortController();
        break;
      case "end":
        naive.finish("end");
        queue.end();
        break;
      case "fail":
        naive.finish("reset");
        queue.end(new Error("reset"));
        break;
      case "clear":
        naive.chunks = [];
        queue.clear();
        break;
    }
    assert.equal(queue.bytes > 0, naive.chunks.length > 0);
  }
  const pending = Promise.resolve().then(() => Promise.resolve()).then(() => "waiting");
  return { naive: naive.outcomes, real: Promise.all(reads.map((read) => Promise.race([read, pending]))) };
}

async function outcomeOf(reading: Promise<Uint8Array | null>): Promise<Outcome> {
  try {
    const chunk = await reading;
    if (chunk === null) return "end";
    assert.ok(chunk.every((byte) => byte === chunk[0]));
    return String(chunk[0]);
  } catch (error) {
    const { message } = error as Error;
    return message.includes("another read") ? "refused" : message;
  }
}
