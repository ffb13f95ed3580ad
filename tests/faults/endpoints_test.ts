import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { basename } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { BrokerError } from "../../mod.ts";
import { fileKey } from "../../src/host/file_key.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { connectLocalSocket } from "../../mod.ts";
import { requireConfigError, requireTakenError } from "./config_error.ts";
import { requireEcho } from "./local_pair.ts";
import { leaveStaleSocket } from "./stale_socket.ts";
import { within } from "../support/waiting.ts";

const transport = await loadTransport();
const NOBODY = 65_534;

/** Listens as brokers and backends do, and echoes one chunk. */
function listen(endpoint: string) {
  return transport.listen(endpoint, {}, async (stream) => {
    const chunk = await stream.read();
    if (chunk !== null) await stream.write(chunk);
    stream.close();
  });
}

async function requireServing(endpoint: string): Promise<void> {
  const stream = await connectLocalSocket(endpoint);
  await requireEcho(stream, "still here");
  stream.close();
}

test("a missing directory is created for its owner alone, with its parents", async () => {
  await using dir = await makeTempDir();
  await using listener = await listen(dir.join("a", "b", "s.sock"));
  for (const made of ["a", "a/b"]) assert.equal(statSync(dir.join(made)).mode & 0o777, 0o700, made);
  assert.equal(lstatSync(listener.endpoint).mode & 0o777, 0o600);
  await requireServing(listener.endpoint);
});

describe("an endpoint that cannot be one is refused with what was found and what to do", () => {
  const refusing = (title: string, message: RegExp, place: (dir: TempDir) => string | Promise<string>) =>
    test(title, async () => {
      await using dir = await makeTempDir();
      const endpoint = await place(dir);
      const before = readdirSync(dir.path);
      await requireConfigError(listen(endpoint), message);
      assert.deepEqual(readdirSync(dir.path), before);
    });
  refusing("a directory that others may enter", /its mode is 0755, wanted 0700; run chmod 700/, (dir) => {
    chmodSync(dir.path, 0o755);
    return dir.join("s.sock");
  });
  refusing(
    "a directory of another owner",
    /it belongs to uid \d+, wanted \d+; choose a directory of/,
    (dir) => {
      if (process.getuid?.() !== 0) return "/rp-faults.sock";
      mkdirSync(dir.join("theirs"), 0o700);
      chownSync(dir.join("theirs"), NOBODY, NOBODY);
      return dir.join("theirs", "s.sock");
    },
  );
  refusing("a path of 200 bytes", /it has \d+ bytes and the kernel takes 10[37]; choose a shorter/, (dir) => {
    return dir.join("x".repeat(200));
  });
  refusing(
    "a name that leaves no room beside it",
    /the kernel takes 10[37]; choose a shorter directory/,
    (dir) => {
      const long = dir.join("d".repeat(100 - dir.path.length));
      mkdirSync(long, 0o700);
      return `${long}/s`;
    },
  );
  refusing("no path", /it is empty or has a NUL/, () => "");
  refusing("a regular file there", /a file that is no socket has this name; remove it/, (dir) => {
    writeFileSync(dir.join("s.sock"), "precious");
    return dir.join("s.sock");
  });
  refusing("a directory there", /a file that is no socket has this name; remove it/, (dir) => {
    mkdirSync(dir.join("s.sock"));
    return dir.join("s.sock");
  });
  refusing(
    "a file where a directory should be",
    /"[^"]*file".*(ENOTDIR|EEXIST|not a directory).*choose/s,
    (dir) => {
      writeFileSync(dir.join("file"), "");
      return dir.join("file", "s.sock");
    },
  );
  refusing("a file further up", /"[^"]*file\/deeper".*ENOTDIR.*choose/s, (dir) => {
    writeFileSync(dir.join("file"), "");
    return dir.join("file", "deeper", "s.sock");
  });
  refusing("a link that leads nowhere", /"[^"]*link".*(ENOENT|EEXIST).*choose/s, (dir) => {
    symlinkSync(dir.join("nowhere"), dir.join("link"));
    return dir.join("link", "s.sock");
  });
  refusing("a link in a circle", /"[^"]*link".*(ELOOP|EEXIST).*choose/s, (dir) => {
    symlinkSync(dir.join("link"), dir.join("link"));
    return dir.join("link", "s.sock");
  });
});

test("a regular file with the name keeps its content", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("s.sock");
  writeFileSync(endpoint, "precious");
  await requireConfigError(listen(endpoint), /no socket/);
  assert.equal(statSync(endpoint).size, 8);
});

test("a socket that nobody serves any more is replaced", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("s.sock");
  await leaveStaleSocket(endpoint);
  const { ino } = lstatSync(endpoint);
  await using listener = await listen(endpoint);
  assert.notEqual(lstatSync(listener.endpoint).ino, ino);
  await requireServing(endpoint);
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
});

test("a socket that is served stays, and whoever wanted its name is told", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("s.sock");
  await using listener = await listen(endpoint);
  const { ino } = lstatSync(endpoint);
  for (let i = 0; i < 3; i++) {
    await requireTakenError(
      listen(endpoint),
      /a process serves it \(pid \d+\); stop that process or choose another/,
    );
  }
  assert.equal(lstatSync(listener.endpoint).ino, ino);
  await requireServing(endpoint);
  assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
});

describe("of many that want a name at the same time exactly one gets it", () => {
  for (const [state, prepare] of [["free", () => {}], ["stale", leaveStaleSocket]] as const) {
    test(`a ${state} name`, async () => {
      await using dir = await makeTempDir();
      const endpoint = dir.join("s.sock");
      await prepare(endpoint);
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => listen(endpoint)));
      const winners = outcomes.flatMap((outcome) => outcome.status === "fulfilled" ? [outcome.value] : []);
      const losers = outcomes.flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason] : []);
      for (const reason of losers) {
        assert.ok(BrokerError.is(reason) && reason.code === "endpoint-taken", String(reason));
      }
      await requireServing(endpoint);
      assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
      for (const winner of winners) await winner.close();
      assert.equal(winners.length, 1, "one survivor");
      assert.equal(existsSync(endpoint), false);
    });
  }
});

describe("debris that another process is removing", () => {
  /** What a process that removes a dead socket holds meanwhile: a link to its own, named after the dead one. */
  const claimOn = (dir: TempDir, endpoint: string) => {
    const key = fileKey(lstatSync(endpoint, { bigint: true }));
    const hash = createHash("sha256").update(`${basename(endpoint)}:${key}`);
    return dir.join(`.${hash.digest("hex").slice(0, 8)}`);
  };

  test("is left to it", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("s.sock");
    await leaveStaleSocket(endpoint);
    const claim = claimOn(dir, endpoint);
    const asked = new EventTarget();
    const seen = new Promise((resolve) => asked.addEventListener("asked", resolve, { once: true }));
    const holder = net.createServer((socket) => (socket.destroy(), asked.dispatchEvent(new Event("asked"))));
    await new Promise<void>((resolve) => holder.listen(claim, resolve));
    const listening = listen(endpoint);
    await within("a look at the claim", seen);
    assert.deepEqual(readdirSync(dir.path).includes("s.sock"), true);
    await new Promise((resolve) => holder.close(resolve));
    await using listener = await listening;
    await requireServing(listener.endpoint);
    assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
  });

  test("is removed all the same when that process died with it", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("s.sock");
    await leaveStaleSocket(endpoint);
    await leaveStaleSocket(claimOn(dir, endpoint));
    await using listener = await listen(endpoint);
    await requireServing(listener.endpoint);
    assert.deepEqual(readdirSync(dir.path), ["s.sock"]);
  });
});

test("a listener that closes takes its name along", async () => {
  await using dir = await makeTempDir();
  const listener = await listen(dir.join("s.sock"));
  await Promise.all([listener.close(), listener.close()]);
  assert.deepEqual(readdirSync(dir.path), []);
});

describe("a name that somebody took over outlives the one that had it", () => {
  const takeOvers: Record<string, (path: string) => void | Promise<void>> = {
    "by a file": (path) => writeFileSync(`${path}.new`, "theirs"),
    "by a socket": (path) => leaveStaleSocket(`${path}.new`),
  };
  for (const [by, make] of Object.entries(takeOvers)) {
    test(by, async () => {
      await using dir = await makeTempDir();
      const endpoint = dir.join("s.sock");
      const listener = await listen(endpoint);
      await make(endpoint);
      renameSync(`${endpoint}.new`, endpoint);
      const { ino } = lstatSync(endpoint);
      await listener.close();
      assert.equal(lstatSync(endpoint).ino, ino);
    });
  }
});
