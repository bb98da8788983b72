import { invariant } from "../core/index.js";
import { crc32c } from "./crc32c.js";
import { VARINT_BYTES_MAX } from "./limits.js";
import { encodeUtf8 } from "./utf8.js";
import { writeVarint } from "./varint.js";

const U32_MAX = 0xffff_ffff;
const TWO_TO_32 = 0x1_0000_0000;
/** Each slab after it is twice as large as the one before, up to what was asked for. */
const SLAB_BYTES_FIRST = 4096;

/**
 * Writes pieces of bytes, one after the other, into slabs that pieces share. All integers are little-endian.
 *
 * What was written since the last `finish` is the current piece; only it can change. `finish` hands it out as a view of
 * the slab, which is never written again: it may be queued, kept and sent without a copy. A slab costs one allocation
 * for many pieces (one ArrayBuffer per small piece halves throughput), and lives as long as any of its pieces.
 */
export class ByteWriter {
  readonly #slabBytesMax: number;
  /** Of the next slab. The first ones are small: a writer that writes little costs little. */
  #slabBytes: number;
  #slab: Uint8Array;
  #view: DataView;
  /** Where the current piece begins in the slab. */
  #start = 0;
  /** Where the next byte goes. */
  #end = 0;

  /** @param slabBytesMax size of a slab; a larger piece gets a larger slab. */
  constructor(slabBytesMax: number = SLAB_BYTES_FIRST) {
    this.#slabBytesMax = slabBytesMax;
    this.#slabBytes = Math.min(slabBytesMax, SLAB_BYTES_FIRST);
    this.#slab = new Uint8Array(this.#slabBytes);
    this.#view = new DataView(this.#slab.buffer);
  }

  /** Bytes in the current piece, and the position at which the next one goes. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Room for a piece whose size is known beforehand, so that it is not copied as it grows. */
  reserve(moreBytes: number): void {
    if (this.#end + moreBytes > this.#slab.length) this.#renew(this.length + moreBytes);
  }

  u8(value: number): void {
    this.#room(1);
    this.#slab[this.#end++] = value;
  }

  u32(value: number): void {
    invariant(Number.isInteger(value) && value >= 0 && value <= U32_MAX, "a u32 is an integer in [0, 2^32)");
    this.#room(4);
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  i32(value: number): void {
    invariant((value | 0) === value, "an i32 is an integer in [-2^31, 2^31)");
    this.#room(4);
    this.#view.setInt32(this.#end, value, true);
    this.#end += 4;
  }

  /** A safe integer in eight bytes, whatever its value. */
  u64(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, "a u64 is a safe integer, not negative");
    this.#room(8);
    this.#view.setUint32(this.#end, value >>> 0, true);
    this.#view.setUint32(this.#end + 4, Math.floor(value / TWO_TO_32), true);
    this.#end += 8;
  }

  /** A safe integer in one to eight bytes, fewer the smaller. */
  varint(value: number): void {
    this.#room(VARINT_BYTES_MAX);
    this.#end = writeVarint(this.#slab, this.#end, value);
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** The bytes alone, without a length. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Length as a varint, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Length in bytes as a varint, then UTF-8. */
  text(text: string): void {
    this.bytes(encodeUtf8(text));
  }

  /** Zeros, to be patched. Returns their position in the piece. */
  skip(lengthBytes: number): number {
    this.#room(lengthBytes);
    const at = this.length;
    this.#slab.fill(0, this.#end, this.#end + lengthBytes);
    this.#end += lengthBytes;
    return at;
  }

  patchU32(at: number, value: number): void {
    invariant(at >= 0 && at + 4 <= this.length, "a patch lies within the piece");
    this.#view.setUint32(this.#start + at, value, true);
  }

  patchI32(at: number, value: number): void {
    invariant(at >= 0 && at + 4 <= this.length, "a patch lies within the piece");
    this.#view.setInt32(this.#start + at, value, true);
  }

  /** Part of the current piece, valid until the next write: for checksums over what was just written. */
  peek(from: number, to: number): Uint8Array {
    invariant(from >= 0 && from <= to && to <= this.length, "a peek lies within the piece");
    return this.#slab.subarray(this.#start + from, this.#start + to);
  }

  /** crc32c of part of the current piece. */
  checksum(from: number, to: number): number {
    invariant(from >= 0 && from <= to && to <= this.length, "a checksum lies within the piece");
    return crc32c(this.#slab, this.#start + from, this.#start + to, 0);
  }

  /** Forgets the current piece from `at` on. */
  truncate(at: number): void {
    invariant(at >= 0 && at <= this.length, "a truncation lies within the piece");
    this.#end = this.#start + at;
  }

  /** Ends the current piece and hands it out, for good. */
  finish(): Uint8Array {
    const piece = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return piece;
  }

  #room(moreBytes: number): void {
    // Doubling keeps the copying of a growing piece linear in its size.
    if (this.#end + moreBytes > this.#slab.length) {
      this.#renew((this.length + moreBytes) * 2);
    }
  }

  /** What a piece outgrows it leaves behind, and takes its own bytes along. */
  #renew(neededBytes: number): void {
    const piece = this.#slab.subarray(this.#start, this.#end);
    this.#slabBytes = Math.min(this.#slabBytesMax, this.#slabBytes * 2);
    this.#slab = new Uint8Array(Math.max(this.#slabBytes, neededBytes));
    this.#view = new DataView(this.#slab.buffer);
    this.#slab.set(piece, 0);
    this.#start = 0;
    this.#end = piece.length;
  }
}
