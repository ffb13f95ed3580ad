// This module has no I/O.

/**
 * Lets only real descriptor numbers through to native code.
 *
 * Foreign function interfaces turn `NaN` or `undefined` into 0, and 0 is somebody's standard input.
 *
 * @throws {RangeError} For anything that is not a non-negative 32-bit integer.
 */
export function requireFd(fd: number): number {
  if (!Number.isInteger(fd) || fd < 0 || fd > 0x7fffffff) {
    throw new RangeError(`Not a file descriptor: ${fd}`);
  }
  return fd;
}
