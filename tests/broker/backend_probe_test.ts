import assert from "node:assert/strict";
import { copyFileSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { serveBackend } from "../../src/backend/serve_backend.ts";
import { type ExpectedBackend, proveBackend, type ProvenBackend } from "../../src/broker/backend_probe.ts";
import { BrokerError, type BrokerErrorCode } from "../../src/errors.ts";
import type { PeerCredentials } from "../../src/transport/local_stream.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { WAIT } from "../support/waiting.ts";
import { transport } from "../transport/_transport.ts";
import { answerProbes, hasher, otherPid, ownBinary, ownIdentity } from "./_probed_backend.ts";

type Fields = MessageInitShape<typeof DaemonProcessSchema>;

function prove(
  endpoint: string,
  expected: Partial<ExpectedBackend> = {},
  over: Transport = transport,
): Promise<ProvenBackend> {
  const wanted = { endpoint, namespaceId: "shared", binaryPath: ownBinary, ...expected };
  return proveBackend(over, hasher, wanted, WAIT);
}

/** Rejected with a code and a message that says all of this. */
async function refused(proving: Promise<unknown>, code: BrokerErrorCode, ...words: string[]): Promise<void> {
  await assert.rejects(proving, (error) => {
    assert.ok(BrokerError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" without "${word}"`);
    return true;
  });
}

/** The same kernel, which tells something else of the peer. */
function seeing(peer: Partial<PeerCredentials>): Transport {
  return {
    ...transport,
    async connectWithPeer(endpoint, options) {
      const found = await transport.connectWithPeer(endpoint, options);
      return { stream: found.stream, peer: { ...found.peer, ...peer } };
    },
  };
}

test("a backend of this user that is what it says is proven, with its process", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("be.sock");
  await using backend = await serveBackend({
    service: "svc",
    version: "1.2.3",
    endpoint,
    namespace: "shared",
  });
  const { identity, process: found } = await prove(endpoint);
  assert.equal(identity.pid, process.pid);
  assert.equal(identity.exePath, ownBinary);
  assert.deepEqual(identity, await backend.identity);
  assert.equal(found.pid, process.pid);
  assert.equal((await prove(endpoint, { identity })).identity.pid, process.pid);
});

test("a backend of another user is refused, whatever it says", async () => {
  await using backend = await answerProbes();
  const uid = transport.ownUser + 1;
  await refused(
    prove(backend.endpoint, {}, seeing({ uid })),
    "peer-rejected",
    `it belongs to uid ${uid}, wanted ${transport.ownUser}`,
  );
});

test("a backend that says it is another process than the kernel does is refused", {
  skip: process.platform !== "linux" && "the kernel tells no process id",
}, async () => {
  await using backend = await answerProbes({ pid: otherPid });
  const words = `it says it is process ${otherPid}, the kernel says ${process.pid}`;
  await refused(prove(backend.endpoint), "peer-rejected", words);
});

test("where the kernel tells no process id, the answer's own is verified", async () => {
  await using backend = await answerProbes();
  assert.equal((await prove(backend.endpoint, {}, seeing({ pid: 0 }))).process.pid, process.pid);
  backend.identity = ownIdentity(backend.endpoint, { pid: 4_194_303 });
  await refused(
    prove(backend.endpoint, {}, seeing({ pid: 0 })),
    "peer-rejected",
    "process not found: 4194303",
  );
});

test("a backend that serves elsewhere, or for another broker instance, is refused", async () => {
  await using backend = await answerProbes();
  await refused(
    prove(backend.endpoint, { namespaceId: "private:svc" }),
    "peer-rejected",
    'wanted "private:svc"',
  );
  backend.identity = ownIdentity("/elsewhere/be.sock");
  await refused(prove(backend.endpoint), "peer-rejected", 'it serves "/elsewhere/be.sock" in "shared"');
});

test("a backend that differs from the announced one in any field is refused by its name", async () => {
  await using backend = await answerProbes();
  const right = backend.identity;
  const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => i === 0 ? byte ^ 1 : byte);
  const announced: [Fields, string][] = [
    [{ pid: otherPid }, "pid"],
    [{ exePath: "/other" }, "exe_path"],
    [{ exeHash: flipped(right.exeHash) }, "exe_hash"],
    [{ exeHashAlgorithm: "", exeSha256: flipped(right.exeSha256) }, "exe_sha256"],
    [{ bootId: "00000000-0000-0000-0000-000000000000" }, "boot_id"],
    [{ ipcEndpoint: { namespaceId: "shared", path: "/other" } }, "ipc_endpoint"],
  ];
  for (const [fields, field] of announced) {
    const identity = ownIdentity(backend.endpoint, fields);
    const words = `its ${field} is not the one that was announced`;
    await refused(prove(backend.endpoint, { identity }), "peer-rejected", words);
  }
  await prove(backend.endpoint, { identity: ownIdentity(backend.endpoint) });
});

test("a backend that lies about its boot, its executable or its content is found out", async () => {
  await using backend = await answerProbes();
  const right = backend.identity;
  const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => i === 31 ? byte ^ 1 : byte);
  const lies: [Fields, string][] = [
    [{ bootId: "00000000-0000-0000-0000-000000000000" }, "daemon boot id mismatch"],
    [{ exePath: "/bin/sh" }, "daemon executable path mismatch"],
    [{ exeSha256: flipped(right.exeSha256) }, "daemon executable sha256 mismatch"],
    [
      { exeSha256: new Uint8Array(0), exeHash: flipped(right.exeHash) },
      "daemon executable blake3 hash mismatch",
    ],
  ];
  for (const [fields, words] of lies) {
    backend.identity = ownIdentity(backend.endpoint, fields);
    await refused(prove(backend.endpoint), "peer-rejected", words);
  }
});

test("the executable has to be the file that the definition names, by whatever path", async () => {
  await using backend = await answerProbes();
  symlinkSync(ownBinary, backend.dir.join("link"));
  await prove(backend.endpoint, { binaryPath: backend.dir.join("link") });
  writeFileSync(backend.dir.join("other"), "");
  for (const binaryPath of [backend.dir.join("other"), "/bin/sh"]) {
    const words = [`it runs "${ownBinary}"`, `the service definition names "${binaryPath}"`];
    await refused(prove(backend.endpoint, { binaryPath }), "peer-rejected", ...words);
  }
  const missing = backend.dir.join("missing");
  const words = `its executable cannot be compared with "${missing}": ENOENT`;
  await refused(prove(backend.endpoint, { binaryPath: missing }), "peer-rejected", words);
});

test("a copy of the executable is another file, though its bytes are equal", async () => {
  await using backend = await answerProbes();
  const binaryPath = backend.dir.join("copy");
  copyFileSync(ownBinary, binaryPath);
  await refused(prove(backend.endpoint, { binaryPath }), "peer-rejected", "the service definition names");
});

test("who cannot be asked is not known: nobody listens, hangs up, stays silent or answers nonsense", async () => {
  await using dir = await makeTempDir();
  await refused(prove(dir.join("none.sock")), "os", "ENOENT");
  const endpoint = dir.join("odd.sock");
  let reply: Uint8Array | "silence" | "hang up" = "silence";
  await using _listener = await transport.listen(endpoint, {}, (stream) => {
    if (reply === "hang up") return stream.close();
    if (reply === "silence") return;
    void stream.write(reply).then(() => stream.closeWrite());
  });
  const soon = { deadlineMs: 30 };
  const expected = { endpoint, namespaceId: "shared", binaryPath: ownBinary };
  await refused(proveBackend(transport, hasher, expected, soon), "deadline", `hear who serves "${endpoint}"`);
  reply = Uint8Array.of(1, 0, 0, 0, 0);
  await refused(prove(endpoint), "protocol", `Cannot tell who serves "${endpoint}"`);
  reply = "hang up";
  await assert.rejects(prove(endpoint), (error) => BrokerError.is(error) && error.code !== "deadline");
});

test("the broker's stop ends a probe", async () => {
  await using dir = await makeTempDir();
  await using listener = await transport.listen(dir.join("s.sock"), {}, () => {});
  const controller = new AbortController();
  const expected = { endpoint: listener.endpoint, namespaceId: "shared", binaryPath: ownBinary };
  const proving = proveBackend(transport, hasher, expected, { ...WAIT, signal: controller.signal });
  controller.abort(new Error("the broker stops"));
  await assert.rejects(proving, /the broker stops/);
});

test("a probe leaves no descriptor, however it ends", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  await using backend = await answerProbes();
  await prove(backend.endpoint);
  const before = await settledFdCount();
  await prove(backend.endpoint);
  await assert.rejects(prove(backend.endpoint, { namespaceId: "other" }));
  await assert.rejects(prove(backend.dir.join("none.sock")));
  assert.equal(await fdCountAtMost(process.pid, before, 5_000), before);
});
