import process from "node:process";
import { writeFileAtomically } from "../../src/host/atomic_file.ts";

// Replaces a file until it is killed. The one argument is the file.
const path = process.argv[2]!;
for (let count = 1;; count++) {
  await writeFileAtomically(path, (count % 2 === 0 ? "a" : "b").repeat(100_000));
  console.log(`written ${count}`);
}
