/**
 * The first 128 bytes of a segment (docs/storage-format.md, "A segment"). The magic and its company are file-header.ts's.
 *
 *   offset  bytes  field
 *        0     20  magic "BALSALOG", version, headerBytes, checksum
 *       20      4  flags: bit 0 = recycled, bit 1 = terminated
 *       24      8  clusterId
 *       32      8  memberId
 *       40      8  group
 *       48      8  incarnation
 *       56      8  segment
 *       64      8  previousSegment, 0 = none
 *       72      4  previousEnd
 *       76      4  previousChecksum
 *       80      8  previousIndex; the segment's first index is one higher
 *       88      8  previousTerm
 *       96      8  preparedBytes
 *      104     24  reserved, zero
 */
import { corrupt } from "../codec/index.js";
import { BalsaError } from "../core/index.js";
import { type EncodedHeader, readFileHeader, writeFileHeader } from "./file-header.js";
import type { Identity } from "./identity.js";

export const SEGMENT_HEADER_BYTES = 128;
const RESERVED_BYTES = 24;
const FLAG_RECYCLED = 1;
const FLAG_TERMINATED = 2;
const KNOWN_FLAGS: number = FLAG_RECYCLED | FLAG_TERMINATED;

/** Where a segment's part of the log ends, and the log goes on in the next one. */
export interface SegmentLink {
  /** 0 = there is nothing before. */
  readonly segment: number;
  /** Offset behind the last batch. */
  readonly end: number;
  /** Of that batch. */
  readonly checksum: number;
}

export const NO_LINK: SegmentLink = { segment: 0, end: 0, checksum: 0 };

export interface SegmentHeader {
  readonly segment: number;
  readonly previous: SegmentLink;
  /** Last index of the log before this segment's first batch, or the snapshot's if that batch is a reset. */
  readonly previousIndex: number;
  readonly previousTerm: number;
  /** Size the file was given beforehand; 0 = none: it grows. */
  readonly preparedBytes: number;
  /** The file had a life before: behind the log's end lie bytes of it. */
  readonly isRecycled: boolean;
  /** A terminator follows the last batch (log-end.ts): so in all that this version writes; earlier segments have none. */
  readonly isTerminated: boolean;
  /** Of this header: what the first batch is chained to. */
  readonly checksum: number;
}

export function encodeSegmentHeader(identity: Identity, header: Omit<SegmentHeader, "checksum">): EncodedHeader {
  return writeFileHeader("BALSALOG", (out) => {
    out.u32((header.isRecycled ? FLAG_RECYCLED : 0) | (header.isTerminated ? FLAG_TERMINATED : 0));
    out.u64(identity.clusterId);
    out.u64(identity.memberId);
    out.u64(identity.group);
    out.u64(identity.incarnation);
    out.u64(header.segment);
    out.u64(header.previous.segment);
    out.u32(header.previous.end);
    out.i32(header.previous.checksum);
    out.u64(header.previousIndex);
    out.u64(header.previousTerm);
    out.u64(header.preparedBytes);
    out.skip(SEGMENT_HEADER_BYTES - out.length);
  });
}

/**
 * @param bytes the file, or at least its header
 * @param fileBytes the whole file's size
 * @throws BalsaError `corrupt`, `identity-mismatch`
 */
export function decodeSegmentHeader(
  bytes: Uint8Array,
  fileBytes: number,
  segment: number,
  identity: Identity,
): SegmentHeader {
  const { fields, headerBytes, checksum } = readFileHeader("BALSALOG", bytes);
  if (headerBytes !== SEGMENT_HEADER_BYTES) throw corrupt("a segment's header has another length");
  const flags = fields.u32();
  if ((flags & ~KNOWN_FLAGS) !== 0) {
    throw new BalsaError(
      "identity-mismatch",
      "written by a later version: a segment has flags that are not known here",
    );
  }
  const isRecycled = (flags & FLAG_RECYCLED) !== 0;
  const isTerminated = (flags & FLAG_TERMINATED) !== 0;
  const clusterId = fields.u64();
  const memberId = fields.u64();
  const group = fields.u64();
  const incarnation = fields.u64();
  if (
    clusterId !== identity.clusterId ||
    memberId !== identity.memberId ||
    group !== identity.group ||
    incarnation !== identity.incarnation
  ) {
    throw new BalsaError("identity-mismatch", "a segment of another directory's log");
  }
  if (fields.u64() !== segment) throw corrupt("the segment's number is not the one in its name");
  const previous: SegmentLink = { segment: fields.u64(), end: fields.u32(), checksum: fields.i32() };
  const previousIndex = fields.u64();
  const previousTerm = fields.u64();
  if (previous.segment >= segment) throw corrupt("a segment's predecessor has a smaller number");
  const preparedBytes = fields.u64();
  if (preparedBytes > fileBytes) throw corrupt("the file is shorter than it was prepared");
  fields.skip(RESERVED_BYTES);
  fields.expectEnd();
  return { segment, previous, previousIndex, previousTerm, preparedBytes, isRecycled, isTerminated, checksum };
}
