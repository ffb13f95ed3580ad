import process from "node:process";
import { serveBroker } from "../../mod.ts";
import { printJson } from "./json_line.ts";
const options = JSON.parse(process.argv[2] ?? "{}"); let n=0; 
const broker = await serveBroker({ ...options, observe: (e) => { if(e.kind==='handoff-completed' && ++n%1000===0) { const m=process.memoryUsage(); console.error(n, Object.entries(m).map(([k,v])=>k+' '+((v as number)/1048576).toFixed(1)).join(' ')); } } });
process.on("SIGTERM", () => void broker.close());
printJson({ event: "ready", pid: process.pid });
await broker.closed; process.exit(0);
