// A handoff endpoint that takes descriptors and never answers. argv: its path. Prints "ready", then "taken".
import process from "node:process";
import { printJson } from "../processes/json_line.ts";
import { scriptHandoffs, takeOffer } from "./scripted_handoffs.ts";

await scriptHandoffs(process.argv[2] ?? "", () => async (control) => {
  const { connection } = await takeOffer(control);
  printJson({ event: "taken", native: connection.label });
});
printJson({ event: "ready" });
