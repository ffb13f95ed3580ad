/** The C library's words, which the reference prints, where they differ from the runtime's. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENFILE: "Too many open files in system",
  ENOENT: "No such file or directory",
  ENOMEM: "Cannot allocate memory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
  ESRCH: "No such process",
};

/** The system's name of an error (`ENOENT`, …), if it has one. */
export function osErrorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Whether something does not exist, as opposed to: could not be looked at. */
export function isNotFound(error: unknown): boolean {
  return osErrorCode(error) === "ENOENT";
}

/** Whether the runtime itself forbade the call. Deno does so before the system is asked. */
export function isRuntimeDenial(error: unknown): boolean {
  return (error as { name?: unknown } | null | undefined)?.name === "NotCapable";
}

/**
 * An error of the system in the reference's words, for example `No such file or directory (os error 2)`; it
 * reaches the wire inside refusals.
 */
export function osErrorText(error: unknown): string {
  const code = osErrorCode(error);
  const words = code === undefined ? undefined : WORDS[code];
  const number = (error as { errno?: unknown } | null | undefined)?.errno;
  if (words !== undefined && typeof number === "number") return `${words} (os error ${Math.abs(number)})`;
  return error instanceof Error ? error.message : String(error);
}
