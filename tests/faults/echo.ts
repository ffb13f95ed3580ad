import type { LocalStream } from "../../mod.ts";

/** Sends back what comes, until the client leaves, then closes. Never rejects. */
export async function echo(stream: LocalStream): Promise<void> {
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
