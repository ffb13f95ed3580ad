// This module has no I/O.
import { BrokerError } from "../../errors.ts";

/** Why a spawn lock could not be had, in the reference's names (protocol 6.10). */
export type SpawnLockErrorKind =
  /** The file cannot be opened or made. */
  | "Open"
  /** Another broker has it. */
  | "AlreadyLocked"
  /** The system does not lock it. */
  | "Lock"
  /** The path has another file by now, or none: whoever has that one believes to have the lock. */
  | "DeletedOrRecreated"
  /** It cannot be told which file was locked. */
  | "Identity";

/** A spawn lock could not be had. */
export class SpawnLockError extends BrokerError {
  /** Always "SpawnLockError". */
  override readonly name: string = "SpawnLockError";
  /** What could not be done. */
  readonly kind: SpawnLockErrorKind;
  /** The file of the lock. */
  readonly path: string;
  /** The text that reaches clients inside a refusal. */
  readonly detail: string;

  /** Makes the error. */
  constructor(kind: SpawnLockErrorKind, path: string, seen: string, options?: ErrorOptions) {
    const detail = `spawn lock "${path}" ${seen}`;
    super("os", detail, options);
    this.kind = kind;
    this.path = path;
    this.detail = detail;
  }
}
