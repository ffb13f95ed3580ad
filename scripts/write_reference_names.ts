// Writes docs/reference-names.md: `deno run -A scripts/write_reference_names.ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { projectFile } from "../tests/support/project.ts";
import { referenceNamesPage } from "./structure/reference_table.ts";

const names = JSON.parse(readFileSync(projectFile("tests/structure/reference_names.json"), "utf8"));
writeFileSync(projectFile("docs/reference-names.md"), referenceNamesPage(names));
