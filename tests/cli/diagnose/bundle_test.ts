import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { bundleEntries } from "../../../src/broker/admin/diagnose_bundle.ts";
import { bundleArchive } from "../../../src/cli/diagnose/bundle_archive.ts";
import { bundleContents } from "../../../src/cli/diagnose/bundle_contents.ts";
import { Redactor } from "../../../src/cli/diagnose/redactor.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { RICH_SNAPSHOT } from "../../broker/admin/golden_admin.ts";

const LIST = "import json,sys,tarfile\n" +
  "t=tarfile.open(sys.argv[1],'r:gz')\n" +
  "print(json.dumps([[m.name,oct(m.mode),m.isreg(),m.mtime,m.uid,t.extractfile(m).read().decode()] for m in t]))";

const NOTHING = { status: "", config: "", metrics: "", manifests: [], host: {} };

const MADE_MS = 1_800_000_000_000;

/** What Python's own module finds in an archive. */
async function list(archive: Uint8Array): Promise<[string, string, boolean, number, number, string][]> {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("a.tar.gz"), archive);
  return JSON.parse(execFileSync("python3", ["-c", LIST, dir.join("a.tar.gz")], { encoding: "utf8" }));
}

test("bundleArchive() is an archive that others read: regular files for their owner alone", async () => {
  const files = [
    { path: "admin/status.json", text: '{"name":"\u{1f680}"}\n' },
    { path: "events/lifecycle.jsonl", text: "" },
    { path: "a/large.txt", text: "0123456789abcdef".repeat(10_000) },
  ];
  const seen = await list(await bundleArchive(files, MADE_MS));
  assert.deepEqual(seen, files.map(({ path, text }) => [path, "0o600", true, MADE_MS / 1000, 0, text]));
});

test("bundleArchive() ends with two empty blocks, also when its files fill the last one", async () => {
  for (const bytes of [0, 1, 512 * 17, 512 * 18, 512 * 19]) {
    const tar = gunzipSync(await bundleArchive([{ path: "f", text: "x".repeat(bytes) }], MADE_MS));
    assert.equal(tar.length % 512, 0);
    assert.ok(tar.subarray(-1024).every((byte) => byte === 0), `${bytes} bytes`);
  }
});

test("bundleContents() holds the files of the protocol's table, in its order, each redacted", () => {
  const redactor = new Redactor({ home: "/home/ann", salt: "" });
  const mine = "/home/ann/x";
  const files = bundleContents(
    {
      status: `{"pipe":"${mine}","uptime_seconds":0.0}`,
      dump: {
        backend_table: [{ backend_pipe: mine, pid: 7 }],
        recent_lifecycle_events: [{ a: mine }, { b: 2 }],
      },
      config: `{"dir":"${mine}"}\n`,
      metrics: "# EOF\n",
      events: undefined,
      manifests: [{ path: mine, manifest: { labels: { api_key: "abc" } } }],
      host: { home: "/home/ann", uid: 1000 },
    },
    redactor,
  );
  assert.deepEqual(files.map(({ path }) => path), bundleEntries(RICH_SNAPSHOT).map(({ path }) => path));
  const [status, dump, config, metrics, events, manifests, backends, host] = files.map(({ text }) => text);
  assert.equal(status, '{"pipe":"~/x","uptime_seconds":0.0}\n');
  assert.ok(dump!.includes('"backend_table":[{"backend_pipe":"~/x","pid":7}]'), dump);
  assert.deepEqual([config, metrics, events], ['{"dir":"~/x"}\n', "# EOF\n", '{"a":"~/x"}\n{"b":2}\n']);
  assert.equal(
    manifests,
    '{"manifests":[{"manifest":{"labels":{"api_key":"[redacted]"}},"path":"~/x"}],"record_count":1}\n',
  );
  assert.equal(backends, '{"backends":[{"backend_pipe":"~/x","pid":7}],"record_count":1}\n');
  assert.match(host!, /^\{"home":"~","uid":"id-[0-9a-f]{16}"\}\n$/);
  assert.ok(!files.some(({ text }) => text.includes("/home/ann") || text.includes("abc")));
});

test("bundleContents() takes a broker without tables for one with empty ones", () => {
  const redactor = new Redactor({ home: undefined, salt: "" });
  const files = bundleContents({ ...NOTHING, dump: {}, events: undefined }, redactor);
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  assert.equal(texts.get("events/lifecycle.jsonl"), "");
  assert.equal(texts.get("process/backends.json"), '{"backends":[],"record_count":0}\n');
});

test("bundleContents() takes the events of the host's log rather than those a broker remembers", () => {
  const redactor = new Redactor({ home: "/home/ann", salt: "" });
  const dump = { recent_lifecycle_events: [{ a: 1 }] };
  const files = bundleContents({ ...NOTHING, dump, events: [{ b: "/home/ann" }, "a torn li"] }, redactor);
  const events = files.find(({ path }) => path === "events/lifecycle.jsonl");
  assert.equal(events?.text, '{"b":"~"}\n"a torn li"\n');
});
