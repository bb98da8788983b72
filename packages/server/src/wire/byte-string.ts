import type { ByteString } from "../mvcc/byte-string.js";

/** Node's converters, which work on any Uint8Array; undefined elsewhere. */
interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number): number;
}
const node: Latin1Methods | undefined = typeof Buffer === "undefined" ? undefined : Buffer.prototype;

/** Arguments of one call that no engine refuses. */
const CALL_ARGUMENTS_MAX = 8192;

export function toByteString(bytes: Uint8Array): ByteString {
  if (bytes.length === 0) return "";
  if (node !== undefined) return node.latin1Slice.call(bytes, 0, bytes.length);
  return toByteStringPortably(bytes);
}

/** Writes one byte per character at `position`; there must be room. */
export function writeByteString(out: Uint8Array, position: number, text: ByteString): void {
  // A call into native code costs 60 ns and more; a short text is copied in less.
  if (node !== undefined && text.length > 32) node.latin1Write.call(out, text, position);
  else for (let i = 0; i < text.length; i++) out[position + i] = text.charCodeAt(i);
}

export function toBytes(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeByteString(bytes, 0, text);
  return bytes;
}

/** What `toByteString` does where there is no Node. Exported for its test. */
export function toByteStringPortably(bytes: Uint8Array): ByteString {
  let text = "";
  for (let from = 0; from < bytes.length; from += CALL_ARGUMENTS_MAX) {
    text += String.fromCharCode(...bytes.subarray(from, from + CALL_ARGUMENTS_MAX));
  }
  return text;
}
