// A broker. argv: the options of serveBroker() as JSON, `quiet` added. Prints its events.
import process from "node:process";
import { type BrokerEvent, serveBroker } from "../../mod.ts";
import { collectOnRequest } from "./collect_on_request.ts";
import { printJson } from "./json_line.ts";

const { quiet = false, ...options } = JSON.parse(process.argv[2] ?? "{}");
const observe = quiet ? undefined : (event: BrokerEvent) => printJson({ ...event, event: event.kind });
const broker = await serveBroker({ ...options, observe });
process.on("SIGTERM", () => void broker.close());
collectOnRequest();
printJson({ event: "ready", pid: process.pid });
await broker.closed;
printJson({ event: "closed", ...broker.counts });
process.exit(0);
