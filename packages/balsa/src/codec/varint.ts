import { invariant } from "../core/index.js";

const TWO_TO_28 = 0x1000_0000;

/**
 * Unsigned LEB128 of a safe integer: seven bits a byte, the lowest first, the top bit set on all but the last.
 * At most `VARINT_BYTES_MAX` bytes; the caller has made room. Returns the position after it.
 */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  invariant(Number.isSafeInteger(value) && value >= 0, "a varint is a safe integer, not negative");
  let rest = value;
  if (rest >= TWO_TO_28) {
    // Four bytes by division, so that what remains (at most 25 bits) is within reach of the 32-bit operators.
    const low = rest % TWO_TO_28;
    rest = (rest - low) / TWO_TO_28;
    bytes[at++] = (low & 0x7f) | 0x80;
    bytes[at++] = ((low >>> 7) & 0x7f) | 0x80;
    bytes[at++] = ((low >>> 14) & 0x7f) | 0x80;
    bytes[at++] = (low >>> 21) | 0x80;
  }
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
