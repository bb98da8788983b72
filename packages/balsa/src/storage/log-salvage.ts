/**
 * From the files of a damaged log to what is left of it (docs/repair.md). Reads only, and never gives up: where
 * log-recovery.ts refuses, this says what is damaged and what is sound.
 */
import { ByteReader, ENTRY_HEADER_BYTES, readEntryRecord } from "../codec/index.js";
import { BalsaError, type Entry } from "../core/index.js";
import type { File, FileSystem } from "../platform/index.js";
import {
  type Batch,
  type EntryIdentity,
  findVoucher,
  readBatch,
  readBatchIdentities,
  type SegmentImage,
} from "./batch.js";
import { type Damage, isUnreadable } from "./corruption.js";
import { type DataPaths, listSegments, segmentPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { BLANK_END_BYTES, SALVAGE_READ_BYTES, SEGMENT_FILE_BYTES_MAX } from "./limits.js";
import { isTerminated } from "./log-end.js";
import type { LogEnd } from "./pending-batch.js";
import { SalvagedLog } from "./salvaged-log.js";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader, type SegmentLink } from "./segment-header.js";

export interface LogSalvage {
  readonly log: SalvagedLog;
  readonly damages: readonly Damage[];
  /** A crash's trace at the end of the log. */
  readonly torn: Damage | undefined;
  /** Segments with damage. */
  readonly damagedSegments: readonly number[];
  /** Higher than any that is there, or was. */
  readonly nextSegment: number;
}

/** A segment as far as it can be read; without `header` nobody knows what its first batch follows. */
interface ReadSegment {
  readonly image: SegmentImage;
  readonly header: SegmentHeader | undefined;
  /** Behind the last byte that could not be read; 0 = all could. */
  readonly unreadableEnd: number;
}

/**
 * @param snapshot the newest sound one, of index 0 = none: what lies before it is of no interest
 * @throws BalsaError `identity-mismatch`, FileError (not for what can't be read of a file)
 */
export async function salvageLog(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  snapshot: LogEnd,
): Promise<LogSalvage> {
  const { segments } = await listSegments(files, paths);
  const damages: Damage[] = [];
  const chain = await readChain(files, paths, identity, segments, snapshot, damages);
  const reader = new SegmentSalvage(damages);
  const first = chain[0]?.header;
  const log = new SalvagedLog(
    first === undefined ? { index: 0, term: 0 } : { index: first.previousIndex, term: first.previousTerm },
  );
  let torn: Damage | undefined;
  chain.forEach((segment, i) => {
    if (i === chain.length - 1) torn = reader.newest(segment, log);
    else reader.closed(segment, linkTo(segment, chain[i + 1]), log);
  });
  if (chain.length === 0) {
    log.endKnown = false;
    damages.push({ file: paths.log, offset: 0, reason: "no segment of the log is there" });
  }
  const damagedFiles = new Set(damages.map(({ file }) => file));
  return {
    log,
    damages,
    torn,
    damagedSegments: segments.filter((segment) => damagedFiles.has(segmentPath(paths, segment))),
    nextSegment: (segments.at(-1) ?? 0) + 1,
  };
}

/** Where the segment's part of the log ends, if its successor can tell. */
function linkTo(segment: ReadSegment, successor: ReadSegment | undefined): SegmentLink | undefined {
  const link = successor?.header?.previous;
  return link?.segment === segment.image.segment ? link : undefined;
}

/**
 * Backwards from the newest, along the links; where one is lost or leads nowhere, to the next older file. That may be
 * one that the log had left behind: it is of this member's past all the same, and what comes after it replaces it.
 */
async function readChain(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  segments: readonly number[],
  snapshot: LogEnd,
  damages: Damage[],
): Promise<readonly ReadSegment[]> {
  const chain: ReadSegment[] = [];
  let next = segments.at(-1);
  while (next !== undefined) {
    const number = next;
    const segment = await readSegment(files, paths, identity, number, damages);
    chain.unshift(segment);
    const { header } = segment;
    if (header !== undefined && header.previousIndex <= snapshot.index) break;
    const linked = header?.previous.segment;
    if (linked === 0) break;
    next = segments.findLast((other) => (linked === undefined ? other < number : other <= linked));
    if (header !== undefined && linked !== undefined && next !== linked) {
      const reason = "the segment is missing";
      const { previousIndex: index, previousTerm: term } = header;
      damages.push({ file: segmentPath(paths, linked), offset: 0, index, term, reason });
    }
  }
  return chain;
}

async function readSegment(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  segment: number,
  damages: Damage[],
): Promise<ReadSegment> {
  const path = segmentPath(paths, segment);
  const file = await files.open(path, "read");
  try {
    const { bytes, unreadableEnd } = await readWhatCanBeRead(file, damages);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const image: SegmentImage = { path, segment, identity, bytes, view };
    try {
      return { image, header: decodeSegmentHeader(bytes, bytes.length, segment, identity), unreadableEnd };
    } catch (cause) {
      if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
      damages.push({ file: path, offset: 0, reason: cause.message });
      return { image, header: undefined, unreadableEnd };
    }
  } finally {
    await file.close();
  }
}

/** The file's bytes; zeros where it can't be read. */
async function readWhatCanBeRead(
  file: File,
  damages: Damage[],
): Promise<{ readonly bytes: Uint8Array; readonly unreadableEnd: number }> {
  const fileBytes = Math.min(await file.sizeBytes(), SEGMENT_FILE_BYTES_MAX);
  try {
    return { bytes: await file.read(0, fileBytes), unreadableEnd: 0 };
  } catch (cause) {
    if (!isUnreadable(cause)) throw cause;
  }
  const bytes = new Uint8Array(fileBytes);
  let unreadableEnd = 0;
  for (let at = 0; at < fileBytes; at += SALVAGE_READ_BYTES) {
    try {
      bytes.set(await file.read(at, Math.min(SALVAGE_READ_BYTES, fileBytes - at)), at);
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause;
      damages.push({ file: file.path, offset: at, reason: "it can't be read" });
      unreadableEnd = Math.min(at + SALVAGE_READ_BYTES, fileBytes);
    }
  }
  return { bytes, unreadableEnd };
}

/** Brings the batches of one segment after the other into a salvaged log. */
class SegmentSalvage {
  readonly #damages: Damage[];

  constructor(damages: Damage[]) {
    this.#damages = damages;
  }

  /** @param link where its part of the log ends; undefined = its successor's header is lost, too */
  closed(segment: ReadSegment, link: SegmentLink | undefined, log: SalvagedLog): void {
    const { image, header } = segment;
    let checksum = header?.checksum;
    let offset = SEGMENT_HEADER_BYTES;
    const end = link?.end ?? image.bytes.length;
    while (offset < end) {
      if (link === undefined && endsAt(segment, offset, checksum) && findVoucher(image, offset) === undefined) break;
      const batch = this.#batchAt(image, offset, checksum, end, log);
      checksum = batch?.checksum;
      offset = batch?.end ?? end;
      if (batch !== undefined) this.#take(image, batch, log);
    }
    if (link === undefined || (offset === link.end && checksum === link.checksum)) return;
    // Told already where a batch was bad: the chain can't be whole then.
    if (checksum !== undefined) {
      this.#tell(image, offset, log, "the segment does not end as its successor says");
    }
  }

  /** Returns what a crash left of the newest batch, if it did. */
  newest(segment: ReadSegment, log: SalvagedLog): Damage | undefined {
    const { image, header } = segment;
    let checksum = header?.checksum;
    let offset = SEGMENT_HEADER_BYTES;
    let heads = 0;
    for (;;) {
      const isLast = findVoucher(image, offset) === undefined;
      if (isLast && endsAt(segment, offset, checksum)) {
        // Without a terminator what can't be read is no unwritten rest: there may have been batches.
        if (header?.isTerminated === false && segment.unreadableEnd > offset) log.endKnown = false;
        break;
      }
      // The first batch of a segment was durable before the segment had its name: it is never torn.
      const wrong = isLast && heads > 0 ? whatIsWrong(image, readBatch(image, offset), checksum) : undefined;
      if (wrong !== undefined && segment.unreadableEnd > offset) {
        // Nor is it a torn write.
        log.endKnown = false;
        return undefined;
      }
      if (wrong !== undefined) return { file: image.path, offset, index: log.lastIndex + 1, reason: wrong };
      const batch = this.#batchAt(image, offset, checksum, image.bytes.length, log);
      if (batch === undefined) break;
      heads++;
      if (batch.offset === offset) {
        this.#take(image, batch, log);
        checksum = batch.checksum;
        offset = batch.end;
      } else {
        // Whatever this batch's own body is like: where it begins is known, and what it follows.
        this.#follow(batch, log);
        // A witness says what was before it; a batch that came later may be in what can't be read.
        if (batch.durable < batch.offset && segment.unreadableEnd > batch.durable) log.endKnown = false;
        checksum = undefined;
        offset = batch.offset;
      }
    }
    if (heads === 0) log.endKnown = false;
    return undefined;
  }

  /** The batch at `offset`, or, where none can be read, the next one behind it. */
  #batchAt(
    image: SegmentImage,
    offset: number,
    previousChecksum: number | undefined,
    end: number,
    log: SalvagedLog,
  ): Batch | undefined {
    const batch = readBatch(image, offset);
    if (typeof batch !== "string") {
      const follows = previousChecksum === undefined || batch.previousChecksum === previousChecksum;
      if (!follows) this.#tell(image, offset, log, "a batch that does not follow the one before it");
      return batch;
    }
    this.#tell(image, offset, log, batch);
    const next = findVoucher(image, offset);
    return next !== undefined && next.offset < end ? next : undefined;
  }

  #take(image: SegmentImage, batch: Batch, log: SalvagedLog): void {
    this.#follow(batch, log);
    let position = batch.offset + batch.headBytes;
    for (const identity of readBatchIdentities(image, batch)) {
      const entry = readIdentified(image, position, identity);
      if (typeof entry === "string") {
        const { index, term: entryTerm } = identity;
        this.#damages.push({ file: image.path, offset: position, index, term: entryTerm, reason: entry });
        log.take(identity, undefined);
      } else {
        log.take(identity, entry);
      }
      position += ENTRY_HEADER_BYTES + identity.payloadBytes;
    }
  }

  #follow({ state }: Batch, log: SalvagedLog): void {
    const { term, vote, commit, previousIndex, previousTerm, reset } = state;
    log.follow({ term, vote, commit }, { index: previousIndex, term: previousTerm }, reset);
  }

  #tell(image: SegmentImage, offset: number, log: SalvagedLog, reason: string): void {
    this.#damages.push({ file: image.path, offset, index: log.lastIndex + 1, reason });
  }
}

/** Why the last batch of all is not one that was written as a whole; undefined = it is. */
function whatIsWrong(image: SegmentImage, batch: Batch | string, checksum: number | undefined): string | undefined {
  if (typeof batch === "string") return batch;
  if (checksum !== undefined && batch.previousChecksum !== checksum) {
    return "a batch that does not follow the one before it";
  }
  let position = batch.offset + batch.headBytes;
  for (const identity of readBatchIdentities(image, batch)) {
    const entry = readIdentified(image, position, identity);
    if (typeof entry === "string") return entry;
    position += ENTRY_HEADER_BYTES + identity.payloadBytes;
  }
  return undefined;
}

/** The entry whose record begins at `position`, or what is wrong with it. */
function readIdentified(image: SegmentImage, position: number, identity: EntryIdentity): Entry | string {
  const end = Math.min(position + ENTRY_HEADER_BYTES + identity.payloadBytes, image.bytes.length);
  try {
    const entry = readEntryRecord(new ByteReader(image.bytes, position, end), image.identity.group);
    const { index, term, checksum, payloadBytes } = identity;
    const isIt = entry.index === index && entry.term === term && entry.checksum === checksum;
    return isIt && entry.data.length === payloadBytes ? entry : "an entry is not the one that was written here";
  } catch (cause) {
    if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
    return cause.message;
  }
}

/**
 * Whether a batch that ends at `offset` is the last one, and the log was left in order behind it.
 * @param checksum the batch's; undefined = there is none, or it is not known
 */
function endsAt({ image, header }: ReadSegment, offset: number, checksum: number | undefined): boolean {
  if (offset === SEGMENT_HEADER_BYTES || checksum === undefined) return false;
  if (header === undefined || header.isTerminated) return isTerminated(image, { end: offset, checksum });
  // Nothing, or zeros, whatever of a file's older life comes behind them.
  const { bytes } = image;
  const end = Math.min(offset + BLANK_END_BYTES, bytes.length);
  for (let i = offset; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
