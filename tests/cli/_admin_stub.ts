import type { MessageInitShape } from "@bufbuild/protobuf";
import { loadTransport } from "../../src/transport/load_transport.ts";
import { decodeAdminRequest, encodeAdminReply } from "../../src/wire/admin_frames.ts";
import type { AdminReplySchema, AdminRequest } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";

/** A listener that answers every operator the same, and keeps what it was asked. */
export interface AdminStub extends AsyncDisposable {
  readonly asked: AdminRequest[];
}

/** Answers operators on an endpoint with a reply of the test's choice. */
export async function startAdminStub(
  endpoint: string,
  reply: MessageInitShape<typeof AdminReplySchema>,
): Promise<AdminStub> {
  const asked: AdminRequest[] = [];
  const transport = await loadTransport();
  const listener = await transport.listen(endpoint, {}, (stream) => void answer(stream));
  async function answer(stream: LocalStream): Promise<void> {
    try {
      const frame = decodeStrict(FrameSchema, await readFrame(stream));
      const decoded = decodeAdminRequest(frame);
      if (!decoded.ok) return;
      asked.push(decoded.request);
      await stream.write(encodeAdminReply(frame, reply));
      // Closing first could cut off what the client has not read yet.
      await stream.read();
    } catch {
      // The test looks at what the command line made of it.
    } finally {
      stream.close();
    }
  }
  return { asked, [Symbol.asyncDispose]: () => listener.close() };
}
