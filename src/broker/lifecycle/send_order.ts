import { BrokerError } from "../../errors.ts";
import { withDeadline } from "../../transport/deadline.ts";
import type { PeerCredentials } from "../../transport/local_stream.ts";
import { osErrorCode } from "../../transport/os_error.ts";
import type { Transport } from "../../transport/transport.ts";
import { decodeOrderAnswer, encodeBackendOrder } from "../../wire/backend_order.ts";
import { FramingError } from "../../wire/framing_error.ts";
import { readFrame } from "../../wire/read_frame.ts";
import type { RegisteredBackend } from "../backend_registry.ts";
import { errorDetail } from "../error_detail.ts";
import type { OrderOutcome, SendOrder } from "./order_outcome.ts";

/** An answer is a flag, a number and a sentence. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** What connecting says when a name has no listener behind it any more. */
const UNSERVED: ReadonlySet<string | undefined> = new Set(["ECONNREFUSED", "ENOENT"]);

/** Gives orders over a connection of their own to the endpoint that clients dial, once the kernel says who serves it. */
export function orderSender(transport: Pick<Transport, "connectWithPeer" | "ownUser">): SendOrder {
  return async (backend, order, wait) => {
    const act = `give backend "${backend.key.service}" an order`;
    try {
      return await withDeadline(act, wait, async (signal) => {
        const { stream, peer } = await transport.connectWithPeer(backend.backendPipe, { ...wait, signal });
        try {
          const impostor = servedByAnother(backend, peer, transport.ownUser);
          if (impostor !== undefined) return { kind: "failed", detail: impostor };
          await stream.write(encodeBackendOrder(order));
          return outcomeOf(await readFrame(stream, { signal, frameBytesMax: ANSWER_BYTES_MAX }));
        } finally {
          stream.close();
        }
      });
    } catch (error) {
      if (wait.signal?.aborted) throw error;
      return failure(error);
    }
  };
}

function outcomeOf(body: Uint8Array): OrderOutcome {
  const decoded = decodeOrderAnswer(body);
  if (decoded.ok) return { kind: "answered", answer: decoded.answer };
  return { kind: "not-understood", detail: decoded.detail };
}

function servedByAnother(
  { identity: { pid } }: RegisteredBackend,
  peer: PeerCredentials,
  ownUser: number,
): string | undefined {
  if (peer.uid !== ownUser) return `its endpoint belongs to uid ${peer.uid}, wanted ${ownUser}`;
  // A kernel that names no process (macOS, another pid namespace) leaves it at the user.
  if (peer.pid === 0 || peer.pid === pid) return undefined;
  return `process ${peer.pid} serves its endpoint, the verified backend is process ${pid}`;
}

function failure(error: unknown): OrderOutcome {
  const detail = errorDetail(error);
  if (error instanceof FramingError) return { kind: "not-understood", detail };
  if (!BrokerError.is(error)) return { kind: "failed", detail };
  if (error.code === "deadline") return { kind: "timeout" };
  if (error.code === "closed") return { kind: "not-understood", detail };
  return { kind: UNSERVED.has(osErrorCode(error.cause)) ? "unreachable" : "failed", detail };
}
