import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import test from "node:test";
import { findRustupHome } from "../../scripts/testing/rustup_home.ts";
import { makeTree } from "./_tree.ts";

async function makeHome() {
  const home = await makeTree({
    ".cargo/bin/rustup": "",
    ".rustup/settings.toml": "",
    "plain/bin/cargo": "",
  });
  symlinkSync("rustup", home.join(".cargo", "bin", "cargo"));
  mkdirSync(home.join("empty"));
  return home;
}

test("findRustupHome() finds the toolchains beside a proxy when HOME is elsewhere", async () => {
  await using home = await makeHome();
  const PATH = home.join(".cargo", "bin");
  assert.equal(findRustupHome({ PATH, HOME: home.join("empty") }), home.join(".rustup"));
  assert.equal(findRustupHome({ PATH }), home.join(".rustup"));
});

test("findRustupHome() leaves alone what works by itself", async () => {
  await using home = await makeHome();
  const PATH = home.join(".cargo", "bin");
  assert.equal(findRustupHome({ PATH, HOME: home.path }), undefined);
  assert.equal(findRustupHome({ PATH, HOME: home.join("empty"), RUSTUP_HOME: "/given" }), undefined);
  assert.equal(findRustupHome({ PATH: home.join("plain", "bin") }), undefined);
  assert.equal(findRustupHome({}), undefined);
});
