import { PAGE_BYTES, ZEROS_BYTES } from "./limits.js";

const ZEROS: Uint8Array = new Uint8Array(ZEROS_BYTES);

/** Whether the bytes are known to be zeros, without a look at them: all that `asZeros` gave. */
export function isZero(bytes: Uint8Array): boolean {
  // To ask for a buffer is a call into the engine, and most writes are short.
  return bytes.length >= PAGE_BYTES && bytes.buffer === ZEROS.buffer;
}

/** The same bytes if they are many and all zero, shared with all others; undefined if not. */
export function asZeros(bytes: Uint8Array): Uint8Array | undefined {
  const { length, byteOffset, buffer } = bytes;
  if (length < PAGE_BYTES || length > ZEROS_BYTES || (length & 31) !== 0 || (byteOffset & 3) !== 0) return undefined;
  if (bytes[0] !== 0 || bytes[length - 1] !== 0) return undefined;
  const words = new Int32Array(buffer, byteOffset, length >>> 2);
  for (let i = 0; i < words.length; i += 8) {
    const any =
      (words[i] as number) |
      (words[i + 1] as number) |
      (words[i + 2] as number) |
      (words[i + 3] as number) |
      (words[i + 4] as number) |
      (words[i + 5] as number) |
      (words[i + 6] as number) |
      (words[i + 7] as number);
    if (any !== 0) return undefined;
  }
  return ZEROS.subarray(0, length);
}
