// A program that uses the installed package: a broker, a backend and a client in one process.
// argv: the folder for its sockets, the folder of the service definitions. Prints one line of JSON.
import { connectToBackend, serveBackend, serveBroker } from "@running-process/broker";

const [folder, serviceDefinitionDir] = process.argv.slice(2);
const service = "my-daemon";
const version = "1.2.3";
const endpoint = `${folder}/be.sock`;
const handoffEndpoint = `${folder}/ho.sock`;
const events = [];
const backend = await serveBackend({
  service,
  version,
  endpoint,
  handoffEndpoint,
  namespace: "shared",
  observe: (event) => events.push(event.kind),
});
void (async () => {
  for await (const connection of backend) void connection.readable.pipeTo(connection.writable);
})();
const told = { events };
let broker;
try {
  broker = await serveBroker({
    endpoint: `${folder}/br.sock`,
    serviceDefinitionDir,
    backend: { service, version, endpoint, handoffEndpoint },
  });
} catch (error) {
  told.brokerError = error.message;
}
if (broker === undefined) {
  // Somebody else's broker has to do: its endpoint comes on stdin once it knows this backend.
  console.log(JSON.stringify(told));
  for await (const _chunk of process.stdin) break;
}
const session = await connectToBackend({ service, version, broker: `${folder}/br.sock` });
await session.stream.write(new TextEncoder().encode("ping"));
told.route = session.route;
told.echo = new TextDecoder().decode(await session.stream.read());
await session[Symbol.asyncDispose]();
await broker?.close();
await backend.close();
console.log(JSON.stringify(told));
process.exit(0);
