// A backend that echoes until its client leaves, and then drops the connection as the reference's does. argv: the
// options of serveBackend() as JSON.
import process from "node:process";
import { serveBackend } from "../../mod.ts";
import { echo } from "../../tests/faults/echo.ts";

const backend = await serveBackend(JSON.parse(process.argv[2] ?? "{}"));
process.on("SIGTERM", () => process.exit(0));
console.log(JSON.stringify({ event: "ready", pid: process.pid }));
for await (const { stream } of backend) void echo(stream);
