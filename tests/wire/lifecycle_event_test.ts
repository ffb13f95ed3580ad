import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { LifecycleEventSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { decodeStrict, encodeMessage } from "../../src/wire/strict_decode.ts";

console.log(LifecycleEventSchema.fields.map((f) => `${f.name} ${f.scalar ?? f.fieldKind}`));
test("x", () => { assert.ok(create && decodeStrict && encodeMessage); });
