import { decodeUtf8, encodeUtf8 } from "../codec/index.js";
import type { KeyValueInput } from "../linearizability/index.js";
import { inputText } from "./input-text.js";

/** What changes the store: proposed as JSON. */
export type KeyValueChange = Extract<KeyValueInput, { readonly kind: "put" | "delete" | "compare-and-set" }>;

/** A value as it is kept under its key. */
export interface Pair {
  readonly value: string;
  /** Of key and value. */
  readonly digest: number;
}

export interface ReadChange {
  readonly change: KeyValueChange;
  /** What the key is given; undefined: nothing. */
  readonly pair: Pair | undefined;
}

interface Remembered extends ReadChange {
  readonly bytes: Uint8Array;
}

/** About all commands of a minute's run: members that are started again apply them again. A power of two. */
const SLOTS = 1_024;
/** By so many bytes at the end a place is found: values differ there, long ones by their length. */
const HASHED_BYTES = 24;

const remembered: (Remembered | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);

/**
 * The change that these bytes stand for. Five members apply the same one, and each again when it is started again; to
 * read it anew each time was 2 % of a run: so the last ones are remembered, by all their bytes.
 */
export function readChange(bytes: Uint8Array): ReadChange {
  const slot = slotOf(bytes);
  const known = remembered[slot];
  if (known !== undefined && areEqual(known.bytes, bytes)) return known;
  return remember(JSON.parse(decodeUtf8(bytes)) as KeyValueChange, bytes.slice(), slot);
}

/** As bytes, which are read without parsing as long as they are remembered; nobody changes them. */
export function writeChange(change: KeyValueChange): Uint8Array {
  const bytes = encodeUtf8(inputText(change));
  remember(change, bytes, slotOf(bytes));
  return bytes;
}

function remember(change: KeyValueChange, bytes: Uint8Array, slot: number): ReadChange {
  const value = change.kind === "delete" ? undefined : change.value;
  const pair = value === undefined ? undefined : pairOf(change.key, value);
  const read: Remembered = { change, pair, bytes };
  remembered[slot] = read;
  return read;
}

export function pairOf(key: string, value: string): Pair {
  return { value, digest: pairDigest(key, value) };
}

/** FNV-1a over the letters: a checksum of bytes would have to make them first. */
function pairDigest(key: string, value: string): number {
  let digest = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) digest = Math.imul(digest ^ key.charCodeAt(i), 0x01000193);
  digest = Math.imul(digest ^ 0x1_0000, 0x01000193);
  for (let i = 0; i < value.length; i += 1) digest = Math.imul(digest ^ value.charCodeAt(i), 0x01000193);
  // Spread over all bits, since digests are joined bit by bit.
  digest = Math.imul(digest ^ (digest >>> 16), 0x85ebca6b);
  return digest ^ (digest >>> 13);
}

function slotOf(bytes: Uint8Array): number {
  let hash = bytes.length;
  const start = Math.max(0, bytes.length - HASHED_BYTES);
  for (let i = start; i < bytes.length; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
