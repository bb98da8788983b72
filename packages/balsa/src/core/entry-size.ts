import type { Entry } from "./entry.js";

/**
 * The sizes that limits are counted in. They are etcd's, so that a batch is cut where etcd cuts it: an entry counts as
 * protobuf would encode it, fields type (1), term (2) and index (3) as varints and data (4) as bytes, each with a tag
 * of one byte, and a field that is absent (type `normal`, no data) costs nothing. It is not what our own codec writes.
 */
export function entryBytes(entry: Entry): number {
  const dataBytes = entry.data.length;
  let bytes = 1 + varintBytes(entry.term) + 1 + varintBytes(entry.index);
  if (entry.type !== "normal") bytes += 2;
  if (dataBytes > 0) bytes += 1 + varintBytes(dataBytes) + dataBytes;
  return bytes;
}

export function totalEntryBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}

/** What the quota of uncommitted entries counts: payloads alone, so that an empty entry is never refused (B7). */
export function totalPayloadBytes(entries: readonly { readonly data: Uint8Array }[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}

/** How many of `entries` fit into `maxBytes`: always the first one, so that an entry over the limit gets through alone. */
function countWithin(entries: readonly Entry[], maxBytes: number): number {
  if (maxBytes === Number.POSITIVE_INFINITY) return entries.length;
  let bytes = 0;
  let count = 0;
  for (const entry of entries) {
    bytes += entryBytes(entry);
    if (bytes > maxBytes && count > 0) break;
    count++;
  }
  return count;
}

/** `entries` up to `maxBytes`; the array itself when all of it fits. */
export function limitBytes(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  const count = countWithin(entries, maxBytes);
  return count === entries.length ? entries : entries.slice(0, count);
}

/** Bytes of a non-negative safe integer in groups of seven bits. */
export function varintBytes(value: number): number {
  // Every entry's term, index and length pass here several times: counting leading zeros, where they fit, costs a
  // third of a division a byte (bench/core.mjs, batch128: a sixth of the whole).
  if (value < TWO_TO_31) return value === 0 ? 1 : Math.trunc((38 - Math.clz32(value)) / 7);
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

const TWO_TO_31 = 0x8000_0000;
