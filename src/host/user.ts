import process from "node:process";
import { BrokerError } from "../errors.ts";
import {
  platformUuidInIoregOutput,
  sidBytes,
  sidInWhoamiOutput,
  unixUserIdentity,
  userHash,
  windowsUserIdentity,
} from "../naming/user_identity.ts";
import { bootId, UNKNOWN_BOOT_ID } from "./boot_id.ts";
import { isNotFound, osErrorText } from "./os_error_text.ts";
import { type SystemAccess, systemAccess, throwIfDenied, windowsTool } from "./system_access.ts";

/** Where Linux keeps the machine's id; the second is for hosts without systemd. */
const MACHINE_ID_FILES = ["/etc/machine-id", "/var/lib/dbus/machine-id"] as const;

/** The platform does not say who the user or the machine is (protocol 3.1). */
export class SidError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "SidError";
  /** The reference's text. */
  readonly detail: string;

  /**
   * Makes the error.
   *
   * @param reason What was asked and what came back.
   * @param options `cause` keeps the original error.
   */
  constructor(reason: string, options?: ErrorOptions) {
    const detail = `failed to read platform user identity: ${reason}`;
    super("os", detail, options);
    this.detail = detail;
  }
}

/**
 * The real user id, which names are made with. In Deno it requires `--allow-sys=uid`.
 *
 * @throws {BrokerError} With code "unsupported" on Windows.
 */
export function currentUid(): number {
  return unixId(process.getuid, "real");
}

/**
 * The effective user id, which peers are compared with. In Deno it requires `--allow-sys=uid`.
 *
 * @throws {BrokerError} With code "unsupported" on Windows.
 */
export function currentEffectiveUid(): number {
  return unixId(process.geteuid, "effective");
}

/**
 * The hash of this user on this host that endpoint names carry (protocol 3.1).
 *
 * A Linux host without any machine id falls back to its boot id, as the reference does from 4.10 on.
 *
 * @param system The host to ask.
 * @param uid The real user id; read from the process when left out.
 * @returns 16 lower-case hexadecimal characters.
 * @throws {SidError} When the platform does not answer.
 */
export async function userSidHash(system: SystemAccess = systemAccess, uid?: number): Promise<string> {
  if (system.platform === "windows") return userHash(await currentWindowsIdentity(system));
  const machine = system.platform === "macos" ? await platformUuid(system) : await machineId(system);
  return userHash(unixUserIdentity(uid ?? currentUid(), machine));
}

/**
 * The string that peers of this user are recognised by: the effective uid in decimal, or on Windows the SID in
 * hexadecimal (protocol 3.1).
 *
 * @throws {SidError} When the platform does not answer.
 */
export async function currentPeerIdentity(system: SystemAccess = systemAccess): Promise<string> {
  return system.platform === "windows" ? await currentWindowsIdentity(system) : String(currentEffectiveUid());
}

function unixId(read: (() => number) | undefined, which: string): number {
  if (read === undefined) {
    throw new BrokerError("unsupported", `Cannot read the ${which} uid: Windows has none`);
  }
  return read.call(process);
}

async function machineId(system: SystemAccess): Promise<string> {
  for (const path of MACHINE_ID_FILES) {
    try {
      const id = (await system.readText(path)).trim();
      if (id !== "") return id;
    } catch (error) {
      throwIfDenied(error, path);
      if (!isNotFound(error)) throw new SidError(`read ${path}: ${osErrorText(error)}`, { cause: error });
    }
  }
  const boot = await bootId(system);
  if (boot === UNKNOWN_BOOT_ID) throw new SidError(`no ${MACHINE_ID_FILES.join(" or ")} found`);
  return `boot:${boot}`;
}

async function platformUuid(system: SystemAccess): Promise<string> {
  const output = await tool(system, "/usr/sbin/ioreg", ["-d2", "-c", "IOPlatformExpertDevice"]);
  const uuid = platformUuidInIoregOutput(output);
  if (uuid === undefined) throw new SidError("ioreg printed no IOPlatformUUID");
  return uuid;
}

async function currentWindowsIdentity(system: SystemAccess): Promise<string> {
  const output = await tool(system, windowsTool(system, "whoami.exe"), ["/user", "/fo", "csv", "/nh"]);
  const sid = sidBytes(sidInWhoamiOutput(output) ?? "");
  if (sid === undefined) throw new SidError("whoami printed no SID");
  return windowsUserIdentity(sid);
}

async function tool(system: SystemAccess, command: string, args: readonly string[]): Promise<string> {
  try {
    return await system.run(command, args);
  } catch (error) {
    throw new SidError(`spawn ${command}: ${osErrorText(error)}`, { cause: error });
  }
}
