// The command line, which starts when its input has a line. argv: its own arguments.
import process from "node:process";
import { createInterface } from "node:readline";
import { main } from "../../src/cli/main.ts";
import { printJson } from "./json_line.ts";

printJson({ event: "ready" });
const input = createInterface({ input: process.stdin });
for await (const _ of input) break;
process.exit(await main(process.argv.slice(2)));
