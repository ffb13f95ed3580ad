// A backend that echoes what it gets. argv: the options of serveBackend() as JSON, `quiet` added.
import process from "node:process";
import { type BackendEvent, serveBackend, type ServedConnection } from "../../mod.ts";
import { collectOnRequest } from "./collect_on_request.ts";
import { printJson } from "./json_line.ts";

const { quiet = false, ...options } = JSON.parse(process.argv[2] ?? "{}");
const observe = quiet ? undefined : (event: BackendEvent) => printJson({ ...event, event: event.kind });
const backend = await serveBackend({ ...options, observe });
process.on("SIGTERM", () => void backend.close());
collectOnRequest();
printJson({ event: "ready", pid: process.pid });
for await (const connection of backend) void echo(connection);
printJson({ event: "closed" });
process.exit(0);

async function echo(connection: ServedConnection): Promise<void> {
  try {
    for (let chunk = await connection.stream.read(); chunk !== null; chunk = await connection.stream.read()) {
      await connection.stream.write(chunk);
    }
    await connection.stream.closeWrite();
  } catch {
    // The client left in the middle of its own echo.
  } finally {
    connection.close();
  }
}
