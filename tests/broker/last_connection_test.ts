import assert from "node:assert/strict";
import test from "node:test";
import { Broker } from "../../src/broker/broker.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import type { IncomingConnection, Transport } from "../../src/transport/transport.ts";
import { deferred, turns, within } from "../support/waiting.ts";

/** A client that the broker is to drop unread, and whether it has been. */
function stranger(): IncomingConnection & { isClosed: boolean } {
  return {
    peer: undefined,
    isClosed: false,
    firstFrame: () => Promise.reject(new Error("nobody may read it")),
    close() {
      this.isClosed = true;
    },
  };
}

test("a broker whose last client comes before it knows its listener closes that listener, and lets nobody else in", async () => {
  const listening = deferred<void>();
  const events: BrokerEvent["kind"][] = [];
  const clients = [stranger(), stranger()];
  let closings = 0;
  const transport = {
    async listenPassable(endpoint: string, _: unknown, onConnection: (client: IncomingConnection) => void) {
      for (const client of clients) onConnection(client);
      await listening.promise;
      const close = () => Promise.resolve(void closings++);
      return { endpoint, close, [Symbol.asyncDispose]: close };
    },
  } as unknown as Transport;
  const broker = new Broker({
    endpoint: "br.sock",
    transport,
    client: {} as ConstructorParameters<typeof Broker>[0]["client"],
    observe: ({ kind }) => void events.push(kind),
    connectionsOpenMax: 8,
    connectionsMax: 1,
    abort: new CancelSource(),
  });
  const started = broker.listen();
  await turns();
  assert.deepEqual(events, ["peer-dropped", "connection-limit", "draining"]);
  assert.deepEqual(clients.map(({ isClosed }) => isClosed), [true, true]);
  listening.resolve();
  await started;
  await within("the broker's end", broker.closed);
  assert.ok(closings > 0, "the listener was closed");
  assert.equal(broker.counts.connectionsAccepted, 1);
});
