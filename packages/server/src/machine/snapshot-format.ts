/**
 * The state as a stream. Its integrity is the snapshot file's business; its order and bytes are a function of the state
 * alone, so that two members with the same state write the same.
 *
 *   stream  = header record* end
 *   record  = length (varint, of what follows) kind (u8) fields
 *
 *   kind        fields
 *   header   1  format version (varint), revision (varint), compacted revision + 1 (varint)
 *   member   2  what it has published (protobuf balsa.Publish); by rising member ID
 *   key      3  key (length as varint, bytes), then a version's fields; keys in their order
 *   version  4  a version's fields: the next one of the key before, oldest first
 *   end      5  number of records before it (varint)
 *
 *   version's fields = create revision, mod revision, sub, version (varints; version 0 = tombstone),
 *                      lease (u8: 0 = none; 1 = 8 bytes follow, the lower four first), value (the rest)
 *
 * Integers are little-endian. A kind that a reader does not know is an error: whatever it holds is part of the state.
 */
export const FORMAT_VERSION = 1;

export const RECORD = { header: 1, member: 2, key: 3, version: 4, end: 5 } as const;

/** Around key and value of the largest request: numbers, lengths and lease. */
const RECORD_OVERHEAD_BYTES = 128;

/** Nothing longer is allocated for. Keys and values come with a request, so that together they are no larger. */
export function recordBytesMax(requestBytesMax: number): number {
  return requestBytesMax + RECORD_OVERHEAD_BYTES;
}
