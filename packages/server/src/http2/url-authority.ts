import { FLAG, FRAME_HEADER_BYTES, readFrameHeader, writeLength } from "./frame.js";

/**
 * Go's etcd clients, etcdctl 3.4 among them, put a whole URL into `:authority` when their endpoint is one and they talk
 * to that endpoint alone (`etcdctl --endpoints http://a:2379 endpoint status`). Go's servers don't mind; Node's HTTP/2
 * refuses it as RFC 3986 has it. Since nothing here depends on the authority, one that is a URL is replaced in the
 * header block (RFC 7541) before Node sees it.
 *
 * That needs no decoder: the values are skipped, and `http://` in Huffman's code is a fixed row of bits. The entry in
 * the receiver's dynamic table becomes shorter than in the sender's, which does no harm: it stays there for longer.
 */

/** Shorter than any URL. */
const REPLACEMENT: Uint8Array = new TextEncoder().encode("localhost");
/** Of `:authority` in the static table. */
const AUTHORITY_INDEX = 1;

/** `http` + `s` + `://` in the codes of RFC 7541's appendix B. */
const HTTP = ["100111", "01001", "01001", "101011"];
const SEPARATOR = ["1011100", "011000", "011000"];
const URL_STARTS_IN_BITS = [[...HTTP, ...SEPARATOR].join(""), [...HTTP, "01000", ...SEPARATOR].join("")];
const URL_STARTS = ["http://", "https://"];

/** Where a header block has a value of `:authority`: from its length on. */
interface Literal {
  readonly start: number;
  readonly end: number;
  readonly isUrl: boolean;
}

/** Whether the whole HEADERS frame that begins at `at` has an authority that is a URL. */
export function hasUrlAuthority(bytes: Uint8Array, at: number): boolean {
  return findInFrame(bytes, at)?.isUrl === true;
}

/** The whole HEADERS frame, with its authority replaced if that is a URL. */
export function withoutUrlAuthority(frame: Uint8Array): Uint8Array {
  const literal = findInFrame(frame, 0);
  if (literal === undefined || !literal.isUrl) return frame;
  const rest = frame.subarray(literal.end);
  const replaced = new Uint8Array(literal.start + 1 + REPLACEMENT.length + rest.length);
  replaced.set(frame.subarray(0, literal.start));
  replaced[literal.start] = REPLACEMENT.length;
  replaced.set(REPLACEMENT, literal.start + 1);
  replaced.set(rest, literal.start + 1 + REPLACEMENT.length);
  writeLength(replaced, replaced.length - FRAME_HEADER_BYTES);
  return replaced;
}

function findInFrame(bytes: Uint8Array, at: number): Literal | undefined {
  const header = readFrameHeader(bytes, at);
  if (header === undefined) return undefined;
  let start = at + FRAME_HEADER_BYTES;
  let end = start + header.lengthBytes;
  if ((header.flags & FLAG.padded) !== 0) end -= bytes[start++] ?? 0;
  if ((header.flags & FLAG.priority) !== 0) start += 5;
  return findAuthority(bytes, start, end);
}

/** The literal `:authority` of a header block, or undefined: none, or a reference to an earlier one. */
function findAuthority(bytes: Uint8Array, start: number, end: number): Literal | undefined {
  let at = start;
  while (at < end) {
    const first = bytes[at] ?? 0;
    if (first >= 0x80) {
      // Indexed field.
      at = readInteger(bytes, at, 7).next;
      continue;
    }
    if (first >= 0x20 && first < 0x40) {
      // Size of the dynamic table.
      at = readInteger(bytes, at, 5).next;
      continue;
    }
    // Literal value: with its name's index, or 0 and the name. Added to the dynamic table, or not.
    const name = readInteger(bytes, at, first >= 0x40 ? 6 : 4);
    at = name.value === 0 ? skipText(bytes, name.next) : name.next;
    const valueStart = at;
    at = skipText(bytes, at);
    if (name.value === AUTHORITY_INDEX && at <= end) {
      return { start: valueStart, end: at, isUrl: isUrl(bytes, valueStart, at) };
    }
  }
  return undefined;
}

/** RFC 7541 §5.1. */
function readInteger(
  bytes: Uint8Array,
  at: number,
  prefixBits: number,
): { readonly value: number; readonly next: number } {
  const prefixMax = (1 << prefixBits) - 1;
  let value = (bytes[at] ?? 0) & prefixMax;
  let next = at + 1;
  if (value < prefixMax) return { value, next };
  for (let scale = 1; next < bytes.length; scale *= 0x80) {
    const byte = bytes[next++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return { value, next };
}

/** RFC 7541 §5.2. */
function skipText(bytes: Uint8Array, at: number): number {
  const { value, next } = readInteger(bytes, at, 7);
  return next + value;
}

function isUrl(bytes: Uint8Array, start: number, end: number): boolean {
  const isHuffman = (bytes[start] ?? 0) >= 0x80;
  const value = bytes.subarray(readInteger(bytes, start, 7).next, end);
  if (!isHuffman) return URL_STARTS.some((text) => String.fromCharCode(...value.subarray(0, text.length)) === text);
  const bits = Array.from(value.subarray(0, 6), (byte) => byte.toString(2).padStart(8, "0")).join("");
  return URL_STARTS_IN_BITS.some((row) => bits.startsWith(row));
}
