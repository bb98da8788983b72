import { type Batch, findVoucher, readBatch, type SegmentImage } from "./batch.js";
import type { Damage } from "./corruption.js";
import { corruption } from "./corruption.js";
import { BLANK_END_BYTES } from "./limits.js";
import { isTerminated } from "./log-end.js";
import type { LogReplay } from "./log-replay.js";
import { SEGMENT_HEADER_BYTES, type SegmentHeader, type SegmentLink } from "./segment-header.js";

/** A segment whose header is sound. */
export interface Segment {
  readonly header: SegmentHeader;
  readonly image: SegmentImage;
}

/**
 * Replays a segment that has a successor: it was complete and durable when its successor was made, up to where that
 * one's link says.
 * @param body of its batches
 * @throws BalsaError `corrupt`
 */
export function replayClosed(
  segment: Segment,
  link: SegmentLink,
  replay: LogReplay,
  body: "checked" | "unread" = "checked",
): void {
  let checksum = segment.header.checksum;
  let offset = SEGMENT_HEADER_BYTES;
  while (offset < link.end) {
    const batch = take(segment.image, offset, checksum, replay, body);
    if (!isBatch(batch)) throw corruption(batch);
    checksum = batch.checksum;
    offset = batch.end;
  }
  if (offset !== link.end || checksum !== link.checksum || offset > segment.image.bytes.length) {
    const reason = "the segment does not end as its successor says";
    throw corruption({ file: segment.image.path, offset, index: replay.lastIndex + 1, reason });
  }
}

export interface NewestSegmentEnd {
  /** The last sound batch. */
  readonly last: Batch;
  /** What a crash left of the batch after it, if anything. */
  readonly torn: Damage | undefined;
}

/**
 * Replays the newest segment as far as it is sound.
 * @throws BalsaError `corrupt` if what is not sound had been durable
 */
export function replayNewest(segment: Segment, replay: LogReplay): NewestSegmentEnd {
  const { image, header } = segment;
  let last: Batch | undefined;
  for (;;) {
    const offset = last === undefined ? SEGMENT_HEADER_BYTES : last.end;
    if (last !== undefined && endsInOrder(segment, last)) return { last, torn: undefined };
    const batch = take(image, offset, last === undefined ? header.checksum : last.checksum, replay, "checked");
    if (isBatch(batch)) {
      last = batch;
      continue;
    }
    // A segment gets its name once its first batch is durable. And each batch was written only when all before it was:
    // one sound head further on that says so, and this batch was no torn write.
    if (last === undefined || findVoucher(image, offset) !== undefined) throw corruption(batch);
    return { last, torn: batch };
  }
}

/** The batch at `offset`, taken into the replay, or what is wrong with it. */
function take(
  image: SegmentImage,
  offset: number,
  previousChecksum: number,
  replay: LogReplay,
  body: "checked" | "unread",
): Batch | Damage {
  const batch = readBatch(image, offset);
  if (typeof batch === "string") return damaged(image, offset, replay, batch);
  if (batch.previousChecksum !== previousChecksum) {
    return damaged(image, offset, replay, "a batch that does not follow the one before it");
  }
  return replay.apply(image, batch, body) ?? batch;
}

function damaged(image: SegmentImage, offset: number, replay: LogReplay, reason: string): Damage {
  return { file: image.path, offset, index: replay.lastIndex + 1, reason };
}

function isBatch(outcome: Batch | Damage): outcome is Batch {
  return "checksum" in outcome;
}

/** No batch was begun behind this one. */
function endsInOrder({ header, image }: Segment, last: Batch): boolean {
  // A sound head further on says that there was one: what is here now is what was here before it (a lost write).
  if (header.isTerminated) return isTerminated(image, last) && findVoucher(image, last.end) === undefined;
  const { bytes } = image;
  if (!header.isRecycled) return isBlank(bytes, last.end, bytes.length);
  // What lies behind the zeros is of the file's older life, unless a sound head says that the zeros are damage.
  const blankEnd = Math.min(last.end + BLANK_END_BYTES, bytes.length);
  return isBlank(bytes, last.end, blankEnd) && findVoucher(image, last.end) === undefined;
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
