/**
 * What lies behind the last batch of a segment (docs/storage-format.md, "The log's end"): a terminator, which the next
 * batch overwrites, and, where the log has come to rest, a witness in another sector.
 *
 *   offset  bytes  field of a terminator
 *        0      4  "ENDS"
 *        4      4  its offset in the segment
 *        8      4  checksum, crc32c over incarnation, segment, offset and the checksum of the batch before
 */
import { ByteWriter } from "../codec/index.js";
import type { Batch, SegmentImage } from "./batch.js";
import { WITNESS_SECTOR_BYTES } from "./limits.js";

export const TERMINATOR_BYTES = 12;
/** "ENDS" */
const TERMINATOR_MAGIC = 0x53444e45;

/** One is written with every batch: they share slabs. */
const terminators = new ByteWriter();
/** What is summed and not kept. */
const summed = new ByteWriter(24);

/** What writing needs to know of a segment. */
export interface TerminatorPlace {
  readonly incarnation: number;
  readonly segment: number;
  /** Where the batch before ends. */
  readonly offset: number;
}

export function encodeTerminator(place: TerminatorPlace, batchChecksum: number): Uint8Array {
  terminators.u32(TERMINATOR_MAGIC);
  terminators.u32(place.offset);
  terminators.i32(checksumOf(place, batchChecksum));
  return terminators.finish();
}

/** Whether the log was left in order behind this batch: no later one had been begun. */
export function isTerminated(
  { view, segment, identity }: SegmentImage,
  batch: Pick<Batch, "end" | "checksum">,
): boolean {
  const offset = batch.end;
  if (view.byteLength - offset < TERMINATOR_BYTES) return false;
  return (
    view.getUint32(offset, true) === TERMINATOR_MAGIC &&
    view.getUint32(offset + 4, true) === offset &&
    view.getInt32(offset + 8, true) ===
      checksumOf({ incarnation: identity.incarnation, segment, offset }, batch.checksum)
  );
}

/** Where the witness of a mark goes that ends at `markEnd`: the next sector behind the mark's terminator. */
export function witnessOffset(markEnd: number): number {
  return Math.ceil((markEnd + TERMINATOR_BYTES) / WITNESS_SECTOR_BYTES) * WITNESS_SECTOR_BYTES;
}

function checksumOf({ incarnation, segment, offset }: TerminatorPlace, batchChecksum: number): number {
  summed.truncate(0);
  summed.u64(incarnation);
  summed.u64(segment);
  summed.u32(offset);
  summed.i32(batchChecksum);
  return summed.checksum(0, summed.length);
}
