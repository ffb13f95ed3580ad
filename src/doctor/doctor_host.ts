// This module has no I/O.
import type { HostValues } from "../naming/platform.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";

/** What came of sending one request to an endpoint. */
export type DialOutcome =
  /** Nobody could be connected to; only a refusal proves that nobody listens. */
  | { readonly kind: "unreachable"; readonly isRefused: boolean; readonly detail: string }
  /** Somebody listens and gave no answer in time, or none that is a frame. */
  | { readonly kind: "silent"; readonly detail: string }
  /** The body of the frame that came back. */
  | { readonly kind: "answered"; readonly body: Uint8Array };

/** How full a file system's inode table is; a total of 0 is a file system without one. */
export type InodeFacts =
  | { readonly supported: true; readonly inodesTotal: bigint; readonly inodesFree: bigint }
  | { readonly supported: false; readonly detail: string };

/** Whether connections can be passed and peers checked, by which library, or what to install or allow. */
export type NativeFacts =
  | { readonly ok: true; readonly binding: string }
  | { readonly ok: false; readonly reason: string };

/** What the doctor asks a host. Nothing here changes anything; errors of the system are passed on. */
export interface DoctorHost {
  /** Platform, environment, user and home directory. */
  readonly values: HostValues;
  /** This process, as the probing Hello names it. */
  readonly pid: number;
  /** The `hash16` of the user on this host. */
  userHash(): Promise<string>;
  /** Connects, sends a whole request, waits for one frame and hangs up, all within the deadline. Never rejects. */
  dial(endpoint: string, request: Uint8Array, deadlineMs: number): Promise<DialOutcome>;
  /** What a path is, links followed; `undefined` when nothing is there. */
  kindOf(path: string): Promise<"directory" | "other" | undefined>;
  /** The names in a directory. */
  listNames(directory: string): Promise<readonly string[]>;
  /** Whether a directory is its owner's alone. */
  isPrivate(directory: string): Promise<boolean>;
  /** A path without links. */
  realPath(path: string): Promise<string>;
  /** The text of a file. */
  readText(path: string): Promise<string>;
  /** A service's definition, validated as brokers do it. */
  loadDefinition(
    directory: string,
    service: string,
  ): Promise<Pick<ServiceDefinition, "serviceName" | "binaryPath" | "perVersionBinaryDir" | "labels">>;
  /** The inode table of the file system that a directory is on, or will be on once it is made. */
  inodes(directory: string): Promise<InodeFacts>;
  /** What systemd prints when it is asked for the KillMode of a unit. */
  killMode(unit: string): Promise<string>;
  /** Whether native calls work in this process. */
  nativeCalls(): Promise<NativeFacts>;
  /** Where the C library lies; `undefined` when it is at none of the known places. */
  libraryPath(): Promise<string | undefined>;
  /** The executable of this process, without links; `undefined` in another runtime than Deno. */
  denoPath(): Promise<string | undefined>;
}
