// A backend that takes descriptors on its handoff endpoint and never answers. argv: that endpoint, and the one
// that clients dial. Prints "ready", then "taken".
import process from "node:process";
import { serveBackend } from "../../mod.ts";
import { printJson } from "../processes/json_line.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { scriptHandoffs, takeOffer } from "./scripted_handoffs.ts";

const [handoffEndpoint = "", endpoint = ""] = process.argv.slice(2);
await scriptHandoffs(handoffEndpoint, () => async (control) => {
  const { connection } = await takeOffer(control);
  printJson({ event: "taken", native: connection.label });
});
await serveBackend({ service: SERVICE, version: VERSION, endpoint, namespace: "shared" });
printJson({ event: "ready" });
