import { renameSync } from "node:fs";
import net from "node:net";

/** Leaves a socket whose process has gone without a word. */
export async function leaveStaleSocket(path: string): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve));
  // Closing removes the name it was bound to, and only that.
  renameSync(`${path}.bound`, path);
  await new Promise((resolve) => server.close(resolve));
}
