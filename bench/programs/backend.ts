// A backend that echoes until its client leaves, and then drops the connection as the reference's does. argv: the
// options of serveBackend() as JSON.
import process from "node:process";
import { serveBackend, type ServedConnection } from "../../mod.ts";

const backend = await serveBackend(JSON.parse(process.argv[2] ?? "{}"));
process.on("SIGTERM", () => process.exit(0));
console.log(JSON.stringify({ event: "ready", pid: process.pid }));
for await (const connection of backend) void echo(connection);

async function echo({ stream }: ServedConnection): Promise<void> {
  try {
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
      await stream.write(chunk);
    }
  } catch {
    // The client left in the middle of its own echo.
  } finally {
    stream.close();
  }
}
