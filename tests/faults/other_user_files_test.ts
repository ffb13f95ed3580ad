import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { after, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { connectToBackend, serveBackend, serveBroker } from "../../mod.ts";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { findSecondUser } from "../support/second_user.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { WAIT } from "../support/waiting.ts";

const { user, reason } = findSecondUser();
const dir = await makeTempDir();
// What comes out private is so by the product's doing, not by the user's.
const umask = process.umask(0);
for (const name of ["RUNTIME_DIR", "DATA_HOME", "STATE_HOME", "CONFIG_HOME", "CACHE_HOME"]) {
  process.env[`XDG_${name}`] = dir.join(name.toLowerCase());
}
process.env["HOME"] = dir.join("home");

const endpoint = dir.join("product", "br.sock");
const backend = await serveBackend({
  service: SERVICE,
  version: VERSION,
  namespace: "shared",
  endpoint: dir.join("product", "be.sock"),
  handoffEndpoint: dir.join("product", "ho.sock"),
  identityFile: dir.join("product", "identity.json"),
});
await defineFailing();
const broker = await serveBroker({ endpoint, launch: true, serviceDefinitionDir: dir.join("definitions") });
// Tries a launch, which locks and leaves its traces.
await connectToBackend({ service: "failing", version: "1.0.0", broker: endpoint }).catch(() => {});

after(async () => {
  process.umask(umask);
  await broker.close({ drainDeadlineMs: 0 });
  await backend.close();
  await dir[Symbol.asyncDispose]();
});

/** Every file and folder below the test's own ones that the product has made. */
function made(): string[] {
  return readdirSync(dir.path, { recursive: true, encoding: "utf8" })
    .filter((name) => !/^(versions|[a-z_]+$)/.test(name) || name === "product")
    .map((name) => join(dir.path, name))
    .sort();
}

async function defineFailing(): Promise<void> {
  const folder = dir.join("versions");
  mkdirSync(folder, 0o700);
  copyFileSync("/bin/false", `${folder}/failing`);
  const fields = { serviceName: "failing", binaryPath: `${folder}/failing`, perVersionBinaryDir: folder };
  await writeServiceDefinition(dir.join("definitions"), create(ServiceDefinitionSchema, fields));
}

test("every file and folder that broker and backend make is its owner's alone, whatever the umask", () => {
  const modes = made().map((path) => {
    const { mode } = lstatSync(path);
    return `${(mode & 0o077).toString(8)} ${relative(dir.path, path)}`;
  });
  assert.deepEqual(modes.filter((line) => !line.startsWith("0 ")), []);
  for (const name of ["product/br.sock", "product/be.sock", "product/ho.sock", "product/identity.json"]) {
    assert.ok(modes.includes(`0 ${name}`), `${name} is not among\n${modes.join("\n")}`);
  }
  assert.ok(modes.some((line) => /lock/.test(line)), `no lock file among\n${modes.join("\n")}`);
});

/** Tries everything with each path that is not allowed to a stranger; says what was possible all the same. */
const INTRUDER = `
import errno, json, os, socket, sys
done = []
def attempt(what, path, act):
    try: act()
    except OSError as e:
        # A folder cannot be written to by anybody.
        if e.errno not in (errno.EACCES, errno.EPERM, errno.EISDIR): done.append([what, path, e.errno])
    else: done.append([what, path, 0])
def connect(path):
    s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(path)
for path in json.loads(sys.argv[1]):
    attempt("read", path, lambda: os.close(os.open(path, os.O_RDONLY)))
    attempt("write", path, lambda: os.close(os.open(path, os.O_WRONLY)))
    attempt("connect", path, lambda: connect(path))
    attempt("remove", path, lambda: os.unlink(path))
    attempt("rename", path, lambda: os.rename(path, path + ".stolen"))
    attempt("create beside", path, lambda: os.close(os.open(path + ".new", os.O_WRONLY | os.O_CREAT)))
    attempt("chmod", path, lambda: os.chmod(path, 0o777))
print(json.dumps(done))
`;

describe("a second user of this machine", () => {
  test("can read, change, replace and reach none of them, also where the way to them is open", {
    skip: reason,
  }, async () => {
    assert.ok(user);
    const paths = made();
    chmodSync(dir.path, 0o711);
    try {
      const args = ["python3", "-c", INTRUDER, JSON.stringify(paths)];
      await using child = startProcess(user.wrap({ command: "/usr/bin/env", args }), { cwd: "/" });
      const done = JSON.parse(await child.waitForLine(() => true, WAIT));
      assert.deepEqual(done, []);
    } finally {
      chmodSync(dir.path, 0o700);
    }
    for (const path of paths) assert.ok(existsSync(path), path);
  });
});
