import process from "node:process";
import { currentRuntime } from "./runtimes.ts";

console.log(JSON.stringify({ runtime: currentRuntime, args: process.argv.slice(2), pid: process.pid }));
for await (const chunk of process.stdin) console.log(`read ${String(chunk).trim()}`);
process.exitCode = 7;
