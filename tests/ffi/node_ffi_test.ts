import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadNodeFfi, type ModuleHost } from "../../ffi/node_ffi.ts";

function hostThat(load: (host: ModuleHost) => unknown) {
  const warnings: unknown[][] = [];
  const emitWarning: ModuleHost["emitWarning"] = (...warning) => void warnings.push(warning);
  const host: ModuleHost = { emitWarning, getBuiltinModule: () => load(host) };
  return { host, warnings, emitWarning };
}

describe("loadNodeFfi()", () => {
  const ffi = { dlopen: () => ({}) };

  test("drops the announcement of the experiment, and no other warning", () => {
    const { host, warnings, emitWarning } = hostThat((host) => {
      host.emitWarning("FFI is an experimental feature and might change at any time", "ExperimentalWarning");
      host.emitWarning("Other is an experimental feature", "ExperimentalWarning");
      host.emitWarning("FFI is deprecated", "DeprecationWarning", "DEP0001");
      return ffi;
    });
    assert.equal(loadNodeFfi(host), ffi);
    assert.deepEqual(warnings, [
      ["Other is an experimental feature", "ExperimentalWarning"],
      ["FFI is deprecated", "DeprecationWarning", "DEP0001"],
    ]);
    assert.equal(host.emitWarning, emitWarning);
    host.emitWarning("FFI is an experimental feature", "ExperimentalWarning");
    assert.equal(warnings.length, 3);
  });

  test("gives warnings back also when loading throws", () => {
    const { host, emitWarning } = hostThat(() => {
      throw new Error("not permitted");
    });
    assert.throws(() => loadNodeFfi(host), /not permitted/);
    assert.equal(host.emitWarning, emitWarning);
  });

  test("finds nothing in a Node without it, or without a way to ask", () => {
    assert.equal(loadNodeFfi(hostThat(() => undefined).host), undefined);
    assert.equal(loadNodeFfi({ emitWarning: () => {} }), undefined);
  });
});
