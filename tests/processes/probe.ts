// Who serves an endpoint? argv: { endpoint, namespaceId, binaryPath, identityFile } as JSON. Prints the proof, or the error.
import process from "node:process";
import { proveBackend } from "../../src/broker/backend_probe.ts";
import { ExecutableHasher } from "../../src/host/executable.ts";
import { readIdentityFileStrictly } from "../../src/host/identity_file.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import { printJson } from "./json_line.ts";

const { identityFile, deadlineMs, ...expected } = JSON.parse(process.argv[2] ?? "{}");
try {
  const identity = identityFile === undefined ? undefined : await readIdentityFileStrictly(identityFile);
  const wait = { deadlineMs, signal: undefined };
  const proven = await proveBackend(
    await loadTransport(),
    new ExecutableHasher(),
    { ...expected, identity },
    wait,
  );
  const { pid, exePath, ipcEndpoint } = proven.identity;
  printJson({
    event: "proven",
    pid,
    exePath,
    namespaceId: ipcEndpoint?.namespaceId,
    path: ipcEndpoint?.path,
  });
} catch (error) {
  printJson({ event: "error", message: String(error) });
}
process.exit(0);
