import { FRAME_BYTES_MAX, HELLO_BYTES_MAX } from "../../src/wire/constants.ts";
import { encodeHandoffOffer } from "../../src/wire/handoff_frames.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { ErrorCode, FrameKind, PayloadEncoding } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { encodeProbeRequest, probeRequestId } from "../../src/wire/probe.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import {
  adminFrame,
  byteByByte,
  ECHOED,
  header,
  helloFrame,
  helloFrameOfBody,
  helloPayload,
  requestFrame,
  seededBytes,
  textBytes,
} from "./hostile_frames.ts";
import {
  CLOSED,
  type Echo,
  type HostileAnswer,
  type HostileKind,
  kind,
  NO_ECHO,
  refused,
  rejected,
  UNHEARD,
} from "./hostile_kind.ts";

const { ERROR_VERSION_UNSUPPORTED } = ErrorCode;
const INCOMPLETE = rejected("incomplete Hello frame", NO_ECHO);
const TOO_LARGE = "initial Hello frame exceeds 64 KiB";

/** Bytes from which no frame can be read: answered with request id 0 (protocol 6.4, steps 2 and 3). */
function framingKinds(seed: number): HostileKind[] {
  const version = refused(ERROR_VERSION_UNSUPPORTED, "unsupported framing version", NO_ECHO);
  const random = seededBytes(seed, 1_000);
  if (random[0] === 1) random[0] = 2;
  const hello = helloFrame();
  const cut = hello.subarray(0, hello.length - 1);
  return [
    kind("connect and close", [], UNHEARD, "leave"),
    kind("connect and end", [], INCOMPLETE, "half-close"),
    ...[1, 2, 4].flatMap((length) => [
      kind(`${length} bytes and close`, hello.subarray(0, length), UNHEARD, "leave"),
      kind(`${length} bytes and end`, hello.subarray(0, length), INCOMPLETE, "half-close"),
    ]),
    kind("a body cut short and close", cut, UNHEARD, "leave"),
    kind("a body cut short and end", cut, INCOMPLETE, "half-close"),
    kind("framing version 2", Uint8Array.of(2), version),
    kind("framing version 0 before a good frame", concatBytes(Uint8Array.of(0), hello), version),
    kind("random bytes", random, version),
    kind("an HTTP request", textBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), version),
    kind("a length of 2^32-1", header(0xffff_ffff), rejected(TOO_LARGE, NO_ECHO)),
    kind("a length of 16 MiB and 1", header(FRAME_BYTES_MAX + 1), rejected(TOO_LARGE, NO_ECHO)),
    kind(
      "a length of 2^32-1, a megabyte of it, and gone",
      [header(0xffff_ffff), seededBytes(seed, 1 << 20)],
      UNHEARD,
      "leave",
    ),
    kind("16 MiB announced, a little sent, and gone", header(FRAME_BYTES_MAX, 8, 1), UNHEARD, "leave"),
    // Wire type 7 does not exist, so that no seed makes it a frame.
    kind(
      "a body that is no Frame",
      concatBytes(header(301, 0x07), seededBytes(seed + 1, 300)),
      rejected("malformed broker Frame", NO_ECHO),
    ),
  ];
}

/** Frames that hold no Hello, and Hellos in frames that must not hold them (protocol 6.4, 6.6). */
function envelopeKinds(): HostileKind[] {
  const version = (echo: Echo) =>
    refused(ERROR_VERSION_UNSUPPORTED, "frame envelope_version is not v1", echo);
  const noRequest = rejected("Hello frame kind must be REQUEST");
  const otherPlane = rejected("Hello frame payload_protocol must be control-plane");
  const nonce = new Uint8Array(32).fill(0x5a);
  const large = helloFrameOfBody(HELLO_BYTES_MAX + 1);
  const offer = encodeHandoffOffer({ token: nonce.subarray(0, 16), serviceName: "s", correlationId: 9n });
  return [
    kind("a length of 0", header(0), version(NO_ECHO)),
    kind("envelope version 2", helloFrame({}, { envelopeVersion: 2 }), version(ECHOED)),
    kind(
      "a body of 64 KiB and 1",
      large.bytes,
      rejected(TOO_LARGE, { ...ECHOED, tracestate: large.tracestate }),
    ),
    kind("an EVENT", helloFrame({}, { kind: FrameKind.EVENT }), noRequest),
    kind("a RESPONSE", helloFrame({}, { kind: FrameKind.RESPONSE }), noRequest),
    kind("a CANCEL", helloFrame({}, { kind: FrameKind.CANCEL }), noRequest),
    kind("a kind without a name", helloFrame({}, { kind: 77 as FrameKind }), noRequest),
    kind("an unknown payload protocol", helloFrame({}, { payloadProtocol: 0x7a63 }), otherPlane),
    kind(
      "an identity probe",
      encodeProbeRequest(nonce),
      rejected("Hello frame payload_protocol must be control-plane", {
        ...NO_ECHO,
        requestId: probeRequestId(nonce),
      }),
    ),
    kind(
      "a handoff offer",
      offer,
      rejected("Hello frame payload_protocol must be control-plane", { ...NO_ECHO, requestId: 9n }),
    ),
    kind(
      "a compressed payload",
      helloFrame({}, { payloadEncoding: PayloadEncoding.ZSTD }),
      rejected("Hello payload must not be compressed"),
    ),
    kind(
      "an undecodable payload",
      requestFrame({ payload: Uint8Array.of(0xff, 0xff, 0xff) }),
      rejected("malformed Hello payload"),
    ),
  ];
}

/** Hellos that ask for what there is not (protocol 6.7, 6.8). */
function helloKinds(): HostileKind[] {
  const range = refused(ERROR_VERSION_UNSUPPORTED, "client protocol range does not include v1", ECHOED);
  const name = rejected("invalid service_name");
  const blocked = (reason: string) => refused(ErrorCode.ERROR_VERSION_BLOCKED, reason, ECHOED, 30_000n);
  const hello = (title: string, fields: Parameters<typeof helloFrame>[0], answer: HostileAnswer) =>
    kind(title, helloFrame(fields), answer);
  return [
    hello("a protocol range above 1", { clientMinProtocol: 2, clientMaxProtocol: 3 }, range),
    hello("a protocol range below 1", { clientMinProtocol: 0, clientMaxProtocol: 0 }, range),
    kind("an empty Hello", requestFrame({}), range),
    hello("a path as service name", { serviceName: "../../etc/passwd" }, name),
    hello("a service name with a NUL", { serviceName: "my-daemon\0" }, name),
    hello("no service name", { serviceName: "" }, name),
    hello("a path as version", { wantedVersion: "../1.2.3" }, rejected("invalid wanted_version")),
    hello(
      "a version of 65 bytes",
      { wantedVersion: `1.2.3-${"a".repeat(59)}` },
      rejected("invalid wanted_version"),
    ),
    hello(
      "a client version of 129 bytes",
      { clientVersion: "v".repeat(129) },
      rejected("client_version exceeds 128 bytes"),
    ),
    hello(
      "a library name of 65 bytes",
      { clientLibName: "ü".repeat(33) },
      rejected("client_lib fields exceed 64 bytes"),
    ),
    hello("another process id", { peerPid: 1 }, rejected("peer_pid does not match verified peer")),
    hello(
      "a service nobody defined",
      { serviceName: "nobody-defined-me" },
      refused(ErrorCode.ERROR_SERVICE_UNKNOWN, "service definition was not found", ECHOED),
    ),
    hello(
      "a version below the policy's",
      { wantedVersion: "0.9.9" },
      blocked("wanted_version is below min_version"),
    ),
    hello(
      "a version nobody serves",
      { wantedVersion: "9.9.9" },
      refused(ErrorCode.ERROR_BACKEND_SPAWN_FAILED, "backend is not registered", ECHOED, 1_000n),
    ),
  ];
}

/** Operators' requests, most of them wrong: those are closed without an answer (protocol 6.11). */
function adminKinds(): HostileKind[] {
  const status = { verb: AdminVerb.STATUS };
  const answered = (exitCode: number): HostileAnswer => ({ kind: "admin", exitCode, echo: ECHOED });
  const large = { verb: AdminVerb.DIAGNOSE, outputPath: "p".repeat(2 * HELLO_BYTES_MAX) };
  const payloadProtocol = ADMIN_PAYLOAD_PROTOCOL;
  return [
    kind("an admin EVENT", adminFrame(status, { kind: FrameKind.EVENT }), CLOSED),
    kind("an admin RESPONSE", adminFrame(status, { kind: FrameKind.RESPONSE }), CLOSED),
    kind(
      "an undecodable admin request",
      requestFrame({ payloadProtocol, payload: Uint8Array.of(0xff) }),
      CLOSED,
    ),
    kind(
      "a compressed admin request",
      adminFrame(status, { payloadEncoding: PayloadEncoding.SNAPPY }),
      CLOSED,
    ),
    kind("admin envelope version 2", adminFrame(status, { envelopeVersion: 2 }), CLOSED),
    // The two messages have fields in common: without more, a Hello reads as STATUS.
    kind(
      "a Hello in an admin frame",
      requestFrame({ payloadProtocol, payload: helloPayload() }),
      answered(0),
    ),
    kind(
      "a fuller Hello in an admin frame",
      requestFrame({ payloadProtocol, payload: helloPayload({ clientVersion: "1" }) }),
      CLOSED,
    ),
    kind(
      "an admin request in a Hello's frame",
      adminFrame(status, { payloadProtocol: 0 }),
      refused(ERROR_VERSION_UNSUPPORTED, "client protocol range does not include v1", ECHOED),
    ),
    kind("an admin verb without a name", adminFrame({ verb: 99 as AdminVerb }), answered(2)),
    kind("an admin request beyond 64 KiB", adminFrame(large), answered(0)),
    kind(
      "an admin request beyond 16 MiB",
      header(FRAME_BYTES_MAX + 1),
      rejected(TOO_LARGE, NO_ECHO),
    ),
  ];
}

/** Clients that are odd and right: they are answered like any other. */
function oddKinds(): HostileKind[] {
  const negotiated: HostileAnswer = { kind: "negotiated", echo: ECHOED };
  const largest = helloFrameOfBody(HELLO_BYTES_MAX);
  const hello = helloFrame();
  return [
    kind("one byte at a time", byteByByte(hello), negotiated),
    kind("a Hello and the end", hello, negotiated, "half-close"),
    kind("a Hello and gone", hello, UNHEARD, "leave"),
    kind("two Hellos at once", concatBytes(hello, hello), negotiated),
    kind("a Hello and an admin request at once", concatBytes(hello, adminFrame({ verb: 1 })), negotiated),
    kind("a body of 64 KiB", largest.bytes, {
      kind: "negotiated",
      echo: { ...ECHOED, tracestate: largest.tracestate },
    }),
  ];
}

/** Every way to treat a broker badly that ends by itself; `seed` determines the random ones. */
export function hostileKinds(seed: number): HostileKind[] {
  return [
    ...framingKinds(seed),
    ...envelopeKinds(),
    ...helloKinds(),
    ...adminKinds(),
    ...oddKinds(),
  ];
}

/** Clients that stop in the middle and stay: nothing but the broker's own deadline ends them. */
export function silentKinds(): HostileKind[] {
  const hello = helloFrame();
  return [0, 1, 4, 5, hello.length - 1].map((length) =>
    kind(`silence after ${length} bytes`, hello.subarray(0, length), CLOSED)
  );
}
