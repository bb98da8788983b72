import { BalsaError } from "../core/index.js";
import { VARINT_BYTES_MAX } from "./limits.js";
import { decodeUtf8 } from "./utf8.js";

const TWO_TO_32 = 0x1_0000_0000;
/** The upper half of the largest safe integer, 2^53 − 1. */
const SAFE_HIGH_MAX = 0x1f_ffff;

/**
 * Reads what `ByteWriter` wrote, and trusts none of it: every read checks that the bytes are there and that the value
 * is one that could have been written. All failures are BalsaError `corrupt`. Views handed out share the given bytes.
 *
 * Integers are put together from bytes: a DataView costs 0.2 µs to make, and asking small bytes for the buffer that it
 * needs 0.5 µs more, of the 2 µs that reading a heartbeat took.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Of the next byte to read. */
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    if (!(start >= 0 && start <= end && end <= bytes.length)) throw corrupt("a range lies outside its bytes");
    this.bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  u8(): number {
    return this.bytes[this.#advance(1)] as number;
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    return readI32(this.bytes, this.#advance(4));
  }

  u64(): number {
    const at = this.#advance(8);
    const high = readI32(this.bytes, at + 4) >>> 0;
    if (high > SAFE_HIGH_MAX) throw corrupt("an integer is not a safe one");
    return safeInteger(high, readI32(this.bytes, at) >>> 0);
  }

  varint(): number {
    let value = this.u8();
    if (value < 0x80) return value;
    value &= 0x7f;
    // Not by shifting: a value may have 53 bits.
    let scale = 0x80;
    for (let i = 1; i < VARINT_BYTES_MAX; i++, scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        // One value, one encoding: a last byte of zero says nothing.
        if (byte === 0) throw corrupt("a varint is longer than its value");
        if (value > Number.MAX_SAFE_INTEGER) throw corrupt("an integer is not a safe one");
        return value;
      }
    }
    throw corrupt("a varint does not end");
  }

  bool(): boolean {
    const value = this.u8();
    if (value > 1) throw corrupt("a boolean is neither 0 nor 1");
    return value === 1;
  }

  /** A view of the next bytes. */
  raw(lengthBytes: number): Uint8Array {
    const at = this.#advance(lengthBytes);
    return this.bytes.subarray(at, at + lengthBytes);
  }

  /** Length, at most `bytesMax`, then that many bytes, as a view. */
  lengthPrefixed(bytesMax: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    const lengthBytes = this.varint();
    if (lengthBytes > bytesMax) throw corrupt("a length is above its limit");
    return this.raw(lengthBytes);
  }

  text(bytesMax: number = Number.MAX_SAFE_INTEGER): string {
    return decodeUtf8(this.lengthPrefixed(bytesMax));
  }

  /**
   * How many things of at least `itemBytesMin` bytes each follow: no more than `max`, and no more than can be there,
   * so that a count never makes anyone allocate more than the bytes that came with it.
   */
  count(max: number, itemBytesMin: number): number {
    const count = this.varint();
    if (count > max) throw corrupt("a count is above its limit");
    if (count * itemBytesMin > this.remaining) throw corrupt("a count is more than its bytes can hold");
    return count;
  }

  skip(lengthBytes: number): void {
    this.#advance(lengthBytes);
  }

  /** To be called when all that was expected has been read. */
  expectEnd(): void {
    if (this.remaining !== 0) throw corrupt("bytes are left over");
  }

  #advance(lengthBytes: number): number {
    const at = this.#position;
    if (lengthBytes > this.#end - at) throw corrupt("bytes end early");
    this.#position = at + lengthBytes;
    return at;
  }
}

/**
 * The integer of an upper half that leaves it a safe one, and a lower one. No sum where the upper half is zero: V8's
 * interpreter gives that as a boxed double, small as it is, and from then on boxes that field of every object of the same
 * shape: all terms and indexes of a process, after the first that was read.
 */
export function safeInteger(high: number, low: number): number {
  return high === 0 ? low : high * TWO_TO_32 + low;
}

/** Four bytes, little-endian, which must be there. */
export function readI32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** What every decoder throws. The message is a constant. */
export function corrupt(message: string): BalsaError {
  return new BalsaError("corrupt", message);
}
