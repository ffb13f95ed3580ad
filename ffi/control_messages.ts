// This module has no I/O.

import { controlSpace, type Layout } from "./layout.ts";

/** More control messages than this with one payload are a fault: one of descriptors and few others can occur. */
export const CONTROL_MESSAGES_MAX = 8;

/** What came with a received message. */
export interface ControlData {
  /** Every descriptor found, in order, also when the data is at fault: all must be used or closed. */
  readonly fds: readonly number[];
  /** What is wrong with the data. */
  readonly fault: string | undefined;
}

const NOTHING: ControlData = { fds: [], fault: undefined };

/** Writes the one control message that carries `fd`. */
export function writeFdControl(control: DataView, layout: Layout, fd: number): void {
  const { lengthOffset, levelOffset, typeOffset, dataOffset } = layout.control;
  control.setUint32(lengthOffset, dataOffset + 4, true);
  control.setInt32(levelOffset, layout.constants.SOL_SOCKET, true);
  control.setInt32(typeOffset, layout.constants.SCM_RIGHTS, true);
  control.setInt32(dataOffset, fd, true);
}

/**
 * Reads the first `length` bytes of control data to the end, whatever they hold.
 *
 * Bounded by `length`, never by what a control message says of itself: macOS leaves its length as it was before
 * the data was cut off. Messages of other kinds (credentials, time stamps) are passed over.
 */
export function readControl(control: DataView, layout: Layout, length: number): ControlData {
  if (length === 0) return NOTHING;
  const { lengthOffset, levelOffset, typeOffset, dataOffset } = layout.control;
  const { SOL_SOCKET, SCM_RIGHTS } = layout.constants;
  const end = Math.min(length, control.byteLength);
  const fds: number[] = [];
  let fault: string | undefined;
  let messages = 0;
  for (let start = 0; start + dataOffset <= end;) {
    const said = control.getUint32(start + lengthOffset, true);
    if (said < dataOffset) {
      fault = `A control message claims ${said} bytes, less than its header`;
      break;
    }
    if (said > end - start) fault = `A control message claims ${said} bytes where ${end - start} are left`;
    if (++messages > CONTROL_MESSAGES_MAX) {
      fault = `More than ${CONTROL_MESSAGES_MAX} control messages arrived`;
    }
    const isRights = control.getInt32(start + levelOffset, true) === SOL_SOCKET &&
      control.getInt32(start + typeOffset, true) === SCM_RIGHTS;
    const dataEnd = Math.min(start + said, end);
    for (let at = start + dataOffset; isRights && at + 4 <= dataEnd; at += 4) {
      fds.push(control.getInt32(at, true));
    }
    start += controlSpace(layout, said - dataOffset);
  }
  return { fds, fault };
}
