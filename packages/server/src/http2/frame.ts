/**
 * Just enough of HTTP/2's framing (RFC 9113 §4.1, §6) to look at the beginning of a connection. Everything else is the
 * HTTP/2 library's business, the judgement of what is malformed too.
 */

/** What a client's side of a connection begins with (§3.4). */
export const CLIENT_PREFACE: Uint8Array = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const FRAME_HEADER_BYTES = 9;

export const FRAME = { headers: 1, settings: 4, ping: 6 } as const;
export const FLAG = { ack: 0x1, padded: 0x8, priority: 0x20 } as const;

export interface FrameHeader {
  /** Of the payload. */
  readonly lengthBytes: number;
  readonly type: number;
  readonly flags: number;
}

/** undefined: not all of it is there. */
export function readFrameHeader(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const [high = 0, middle = 0, low = 0, type = 0, flags] = bytes.subarray(at, at + 5);
  if (flags === undefined || at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  return { lengthBytes: high * 0x1_0000 + middle * 0x100 + low, type, flags };
}

/** A frame of the connection itself, not of one of its streams. */
export function connectionFrame(type: number, flags: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  writeLength(frame, payload.length);
  frame[3] = type;
  frame[4] = flags;
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

export function writeLength(frame: Uint8Array, lengthBytes: number): void {
  frame[0] = lengthBytes >>> 16;
  frame[1] = (lengthBytes >>> 8) & 0xff;
  frame[2] = lengthBytes & 0xff;
}
