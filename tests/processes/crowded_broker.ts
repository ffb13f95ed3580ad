// A broker in a process that opens other files. argv: the options of serveBroker() as JSON. On the line "fill" of
// its input it opens files until there are no descriptors left, and again on each further one; on "free" it closes
// them all. It answers each with a line.
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { serveBroker } from "../../mod.ts";
import { printJson } from "./json_line.ts";

const broker = await serveBroker(JSON.parse(process.argv[2] ?? "{}"));
// Deno panics when it first thinks of signals without a descriptor to spare.
process.on("SIGTERM", () => void broker.close());
const files: number[] = [];
printJson({ event: "ready", pid: process.pid });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "fill") fill();
  if (line === "free") { for (const fd of files.splice(0)) closeSync(fd); }
  printJson({ event: line, files: files.length });
}
await broker.close();
process.exit(0);

function fill(): void {
  try {
    while (files.length < 100_000) files.push(openSync("/dev/null", "r"));
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EMFILE") throw error;
  }
}
