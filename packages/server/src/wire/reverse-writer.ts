import { invariant } from "balsa/core";
import type { ByteString } from "../mvcc/byte-string.js";
import { writeByteString } from "./byte-string.js";

const FIRST_BYTES = 4096;
/** A buffer larger than this is not kept for the next message. */
const KEPT_BYTES_MAX: number = 256 * 1024;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/**
 * Writes protobuf back to front: what a length says has been written before the length is, so that nested messages need
 * neither a pass to measure them nor a buffer of their own. Fields therefore go in with the last one first.
 *
 * One writer serves any number of messages, one after the other.
 */
export class ReverseWriter {
  private buffer: Uint8Array = new Uint8Array(FIRST_BYTES);
  /** Of the first byte that is written; what lies before it is free. */
  private start: number = FIRST_BYTES;

  /** Bytes written so far. A length is the difference of two of these. */
  get written(): number {
    return this.buffer.length - this.start;
  }

  /** Gives what was written, as a copy, and begins anew. */
  finish(): Uint8Array {
    const bytes = this.buffer.slice(this.start);
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = new Uint8Array(FIRST_BYTES);
    this.start = this.buffer.length;
    return bytes;
  }

  /** Forgets what was written: to be called before a message, in case the one before was broken off. */
  reset(): void {
    this.start = this.buffer.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[--this.start] = value;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.start -= bytes.length;
    this.buffer.set(bytes, this.start);
  }

  /** A safe integer, not negative. */
  varint(value: number): void {
    if (value < 0x80) {
      this.byte(value);
      return;
    }
    invariant(Number.isSafeInteger(value), "a varint is a safe integer, not negative");
    this.reserve(8);
    const length = varintBytes(value);
    this.start -= length;
    let rest = value;
    for (let i = 0; i < length - 1; i++) {
      this.buffer[this.start + i] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.start + length - 1] = rest;
  }

  // Fields. As in proto3, a field with its default is left out.

  numberField(field: number, value: number): void {
    if (value === 0) return;
    this.varint(value);
    this.tag(field, VARINT);
  }

  booleanField(field: number, value: boolean): void {
    this.numberField(field, value ? 1 : 0);
  }

  /** 64 bits, signed. */
  bigintField(field: number, value: bigint): void {
    if (value === 0n) return;
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    for (let i = bytes.length - 1; i >= 0; i--) this.byte(bytes[i] ?? 0);
    this.tag(field, VARINT);
  }

  byteStringField(field: number, value: ByteString): void {
    if (value === "") return;
    this.reserve(value.length);
    this.start -= value.length;
    writeByteString(this.buffer, this.start, value);
    this.varint(value.length);
    this.tag(field, LENGTH_DELIMITED);
  }

  /** Closes a nested message, empty or not, whose fields were written since `written` was `before`. */
  messageField(field: number, before: number): void {
    this.varint(this.written - before);
    this.tag(field, LENGTH_DELIMITED);
  }

  private tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  private reserve(bytes: number): void {
    if (bytes <= this.start) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.written + bytes));
    const start = grown.length - this.written;
    grown.set(this.buffer.subarray(this.start), start);
    this.buffer = grown;
    this.start = start;
  }
}

function varintBytes(value: number): number {
  let length = 1;
  for (let limit = 0x80; value >= limit; limit *= 0x80) length++;
  return length;
}
