import { open, stat } from "node:fs/promises";
import { BrokerError } from "../errors.ts";

/**
 * Reads a regular file that must not be larger than what its kind can sensibly be.
 *
 * @param path The file. In Deno it requires `--allow-read` for it.
 * @param bytesMax The largest size that is read.
 * @throws {BrokerError} With code "os" when it is larger or no regular file. Errors of the system are passed on.
 */
export async function readBoundedFile(path: string, bytesMax: number): Promise<Uint8Array> {
  // Before it is opened: opening a pipe would wait for its writer.
  if (!(await stat(path)).isFile()) {
    throw new BrokerError("os", `Cannot read "${path}": it is not a regular file`);
  }
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > bytesMax) {
      const seen = `it has ${size} bytes, at most ${bytesMax}`;
      throw new BrokerError("os", `Cannot read "${path}": ${seen}`);
    }
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}
