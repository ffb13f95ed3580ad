// The backend of the documentation, for a broker that launches it: it ends when there is nothing left to do, and not
// because it says so.
import "./start_record.ts";
import { serveBackend } from "../../mod.ts";

await using backend = await serveBackend({});
for await (const connection of backend) void connection.readable.pipeTo(connection.writable).catch(() => {});
