// An operator. argv: { broker, requests } as JSON, each request as in sendAdminRequest(). Prints an answer or an error for each.
import process from "node:process";
import { BrokerClientError, sendAdminRequest } from "../../mod.ts";
import { printJson } from "./json_line.ts";

const { broker, requests } = JSON.parse(process.argv[2] ?? "{}");
for (const request of requests) {
  try {
    const { kind, body, exitCode, contentType } = await sendAdminRequest(broker, request);
    printJson({ event: "reply", kind, body, exitCode, contentType });
  } catch (error) {
    const kind = error instanceof BrokerClientError ? error.kind : "unexpected";
    printJson({ event: "error", kind, message: String(error) });
  }
}
process.exit(0);
