import { crc32c } from "../codec/index.js";
import { SECTOR_BYTES, SLAB_BYTES, SUMMED_WHOLE_BYTES_MAX } from "./limits.js";
import { asZeros } from "./zeros.js";

/** Below, a loop is faster than `set`. */
const LOOP_BYTES_MAX = 48;

let slab: Uint8Array = new Uint8Array(SLAB_BYTES);
let slabAt = 0;

/** Cut from a larger piece: bytes of their own cost 0.5 µs, for `malloc`, `free` and the collector's part in it. */
function freshBytes(lengthBytes: number): Uint8Array {
  if (lengthBytes > SLAB_BYTES / 8) return new Uint8Array(lengthBytes);
  if (slabAt + lengthBytes > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabAt = 0;
  }
  const start = slabAt;
  slabAt += lengthBytes;
  return slab.subarray(start, slabAt);
}

/** What a write brings, for good: the caller may do with its buffers what it likes once the write is done. */
function taken(buffers: readonly Uint8Array[]): Uint8Array {
  const [only] = buffers;
  const zeros = buffers.length === 1 && only !== undefined ? asZeros(only) : undefined;
  if (zeros !== undefined) return zeros;
  let lengthBytes = 0;
  for (const buffer of buffers) lengthBytes += buffer.length;
  const bytes = freshBytes(lengthBytes);
  let at = 0;
  for (const buffer of buffers) {
    const { length } = buffer;
    if (length > LOOP_BYTES_MAX) bytes.set(buffer, at);
    else for (let i = 0; i < length; i += 1) bytes[at + i] = buffer[i] as number;
    at += length;
  }
  return bytes;
}

function checksumOf(buffers: readonly Uint8Array[]): number {
  let crc = 0;
  for (const buffer of buffers) crc = summed(buffer, crc);
  return crc;
}

function summed(buffer: Uint8Array, seed: number): number {
  const { length } = buffer;
  if (length <= SUMMED_WHOLE_BYTES_MAX) return crc32c(buffer, 0, length, seed);
  let sum = crc32c(buffer, 0, SECTOR_BYTES, seed);
  for (let at = SECTOR_BYTES; at < length; at += SECTOR_BYTES)
    sum = Math.imul(sum ^ (buffer[at] as number), 0x01000193);
  return crc32c(buffer, length - SECTOR_BYTES, length, sum);
}

/** What a write brings: the caller's buffers, and a copy of them as they were. */
export class Written {
  readonly bytes: Uint8Array;
  /** Of the buffers, for the trace. */
  readonly checksum: number;
  readonly #buffers: readonly Uint8Array[];

  constructor(buffers: readonly Uint8Array[]) {
    this.#buffers = buffers;
    this.bytes = taken(buffers);
    // The same as that of the buffers one after the other, where each of them is summed as a whole.
    const isWhole = this.bytes.length <= SUMMED_WHOLE_BYTES_MAX;
    this.checksum = isWhole ? crc32c(this.bytes, 0, this.bytes.length, 0) : checksumOf(buffers);
  }

  /**
   * Whether the buffers are still the same, as far as a look at every 16th byte shows; one in eight is looked at as a
   * whole. (All of all of them: 1 % of a simulated cluster's time.)
   */
  get isUnchanged(): boolean {
    const { bytes, checksum } = this;
    const isWhole = (checksum & 7) === 0 || bytes.length > SUMMED_WHOLE_BYTES_MAX;
    if (isWhole) return checksumOf(this.#buffers) === checksum;
    let at = 0;
    for (const buffer of this.#buffers) {
      const { length } = buffer;
      const stride = length <= 64 ? 1 : 16;
      for (let i = 0; i < length; i += stride) if (buffer[i] !== bytes[at + i]) return false;
      at += length;
    }
    return true;
  }
}
