import process from "node:process";
import { ServiceDefinitionBuilder } from "../../src/service/service_definition_builder.ts";
import { ServiceDefinitionError } from "../../src/service/service_definition_error.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";

// Writes a definition to a folder of its own, then loads one from another folder, and prints both outcomes.
const [ownFolder, foreignFolder] = process.argv.slice(2) as [string, string];

async function outcome(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return error instanceof ServiceDefinitionError ? `${error.kind}: ${error.detail}` : String(error);
  }
}

const own = await outcome(async () => {
  await ServiceDefinitionBuilder.sharedBroker("svc", "/usr/bin/daemon").installIn(ownFolder);
  return new ServiceDefinitionLoader(ownFolder).loadSync("svc").binaryPath;
});
const foreign = await outcome(async () =>
  (await new ServiceDefinitionLoader(foreignFolder).load("svc")).binaryPath
);
const write = await outcome(() =>
  ServiceDefinitionBuilder.sharedBroker("svc", "/bin/x").installIn(foreignFolder)
);
console.log(JSON.stringify({ own, foreign, write }));
