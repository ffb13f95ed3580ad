import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  HandoffAckSchema,
  HandoffOfferSchema,
  HelloSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { projectFile } from "../support/project.ts";

/** The rules that model checking has found; the model is in `docs/model`. */
const RULES_MAX = 25;

/** Texts of the sources below a folder, by their paths. */
function sources(folder: string): [path: string, text: string][] {
  const root = projectFile(folder);
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts")
  );
  return paths.map((path) => [path, readFileSync(`${root}/${path}`, "utf8")]);
}

/** The numbers that the titles of a source's tests begin with. */
function rulesIn(text: string): number[] {
  const numbers: number[] = [];
  for (const [, list] of text.matchAll(/\b(?:test|describe|linuxTest|fdTest)\(\s*"rules? ([0-9, and]+):/g)) {
    numbers.push(...list!.match(/\d+/g)!.map(Number));
  }
  return numbers;
}

test("each rule of the model has a test whose title begins with it", () => {
  const tested = new Set(sources("tests").flatMap(([, text]) => rulesIn(text)));
  const all = Array.from({ length: RULES_MAX }, (_, i) => i + 1);
  assert.deepEqual(all.filter((rule) => !tested.has(rule)), [], "rules without a test");
  assert.deepEqual(
    [...tested].filter((rule) => rule < 1 || rule > RULES_MAX),
    [],
    "tests of rules that do not exist",
  );
});

test("rule 15: no request has an id of its own on the wire: early data runs at most once by other means", () => {
  const names = (schema: typeof HandoffOfferSchema | typeof HandoffAckSchema | typeof HelloSchema) =>
    schema.fields.filter(({ number }) => number >= 1_000).map(({ name, number }) => `${name} ${number}`);
  assert.deepEqual(names(HandoffOfferSchema), ["extensions 1000", "residue 1001", "channel_id 1002"]);
  assert.deepEqual(names(HandoffAckSchema), ["extensions 1000", "ready_relayed 1001", "channel_id 1002"]);
  assert.deepEqual(names(HelloSchema), []);
});

test("rule 16: only a broker can write Negotiated: nothing of the backend knows how", () => {
  const writes = /encodeNegotiatedReply|NegotiatedSchema|HelloReplySchema/;
  const backend = sources("src/backend");
  assert.ok(backend.length > 10, "the backend's sources are found");
  assert.deepEqual(backend.filter(([, text]) => writes.test(text)).map(([path]) => path), []);
  assert.ok(sources("src/broker").some(([, text]) => writes.test(text)), "and the broker does");
});
