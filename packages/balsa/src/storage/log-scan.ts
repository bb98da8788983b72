import { ByteReader, ENTRY_HEADER_BYTES, readEntryRecord } from "../codec/index.js";
import { BalsaError, type Entry } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import {
  type Batch,
  type EntryIdentity,
  findVoucher,
  readBatch,
  readBatchIdentities,
  type SegmentImage,
} from "./batch.js";
import { type DataPaths, dataPaths, listSegments, segmentPath } from "./data-directory.js";
import { type Identity, loadIdentity } from "./identity.js";
import { SEGMENT_FILE_BYTES_MAX } from "./limits.js";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment-header.js";

/** What lies in a segment's file, in its order. Damage is part of it; what it means for the log, verifyDirectory says. */
export type ScannedRecord =
  | {
      readonly kind: "segment";
      readonly file: string;
      readonly segment: number;
      readonly fileBytes: number;
      /** 0 = none: the log begins here. */
      readonly previousSegment: number;
      /** The log's end before the segment's first batch. */
      readonly previousIndex: number;
      readonly previousTerm: number;
      /** 0 = the file grows as it is written. */
      readonly preparedBytes: number;
    }
  | {
      readonly kind: "batch";
      readonly offset: number;
      readonly bytes: number;
      readonly term: number;
      readonly vote: number;
      readonly commit: number;
      /** The log's end before it. */
      readonly previousIndex: number;
      /** A snapshot that ends there takes the place of everything before. */
      readonly reset: boolean;
      readonly entries: number;
    }
  | { readonly kind: "entry"; readonly offset: number; readonly entry: Entry }
  /** `index`, `term`: which entry it was, where a sound batch head tells. */
  | {
      readonly kind: "damaged";
      readonly offset: number;
      readonly reason: string;
      readonly index: number | undefined;
      readonly term: number | undefined;
    }
  /** Behind it nothing of the log is found. */
  | { readonly kind: "end"; readonly offset: number };

/**
 * Reads the log's files from the oldest to the newest, as they lie there: also what a later entry has replaced, and
 * segments that the log has left behind. Takes no lock and changes nothing.
 * @throws BalsaError `corrupt` (the identity), `identity-mismatch`; FileError
 */
export async function* scanLog(files: FileSystem, dir: string): AsyncGenerator<ScannedRecord, void, undefined> {
  const paths = dataPaths(dir);
  const identity = await loadIdentity(files, paths.identity);
  const { segments } = await listSegments(files, paths);
  const headers: (SegmentHeader | undefined)[] = [];
  for (const segment of segments) headers.push((await loadSegment(files, paths, identity, segment)).header);
  for (const [at, segment] of segments.entries()) {
    const { image, header, reason } = await loadSegment(files, paths, identity, segment);
    yield {
      kind: "segment",
      file: image.path,
      segment,
      fileBytes: image.bytes.length,
      previousSegment: header?.previous.segment ?? 0,
      previousIndex: header?.previousIndex ?? 0,
      previousTerm: header?.previousTerm ?? 0,
      preparedBytes: header?.preparedBytes ?? 0,
    };
    if (reason !== undefined) yield damaged(0, reason);
    const successor = headers.slice(at + 1).find((other) => other?.previous.segment === segment);
    yield* scanSegment(image, successor?.previous.end ?? image.bytes.length);
  }
}

async function loadSegment(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  segment: number,
): Promise<{ image: SegmentImage; header: SegmentHeader | undefined; reason: string | undefined }> {
  const path = segmentPath(paths, segment);
  const file = await files.open(path, "read");
  try {
    const bytes = await file.read(0, Math.min(await file.sizeBytes(), SEGMENT_FILE_BYTES_MAX));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const image: SegmentImage = { path, segment, identity, bytes, view };
    try {
      return { image, header: decodeSegmentHeader(bytes, bytes.length, segment, identity), reason: undefined };
    } catch (cause) {
      if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
      return { image, header: undefined, reason: cause.message };
    }
  } finally {
    await file.close();
  }
}

/** @param end where its successor says that its part of the log ends */
function* scanSegment(image: SegmentImage, end: number): Generator<ScannedRecord, void, undefined> {
  let offset = SEGMENT_HEADER_BYTES;
  while (offset < end) {
    let batch = readBatch(image, offset);
    if (typeof batch === "string") {
      const next = findVoucher(image, offset);
      if (next === undefined || next.offset >= end) break;
      yield damaged(offset, batch);
      batch = next;
    }
    yield* scanBatch(image, batch);
    offset = batch.end;
  }
  yield { kind: "end", offset };
}

function* scanBatch(image: SegmentImage, batch: Batch): Generator<ScannedRecord, void, undefined> {
  const { term, vote, commit, previousIndex, reset } = batch.state;
  const { offset, entryCount: entries } = batch;
  yield { kind: "batch", offset, bytes: batch.end - offset, term, vote, commit, previousIndex, reset, entries };
  let position = offset + batch.headBytes;
  for (const identity of readBatchIdentities(image, batch)) {
    yield scanEntry(image, position, identity);
    position += ENTRY_HEADER_BYTES + identity.payloadBytes;
  }
}

function scanEntry(image: SegmentImage, offset: number, identity: EntryIdentity): ScannedRecord {
  const { index, term, checksum, payloadBytes } = identity;
  const end = Math.min(offset + ENTRY_HEADER_BYTES + payloadBytes, image.bytes.length);
  try {
    const entry = readEntryRecord(new ByteReader(image.bytes, Math.min(offset, end), end), image.identity.group);
    const isIt = entry.index === index && entry.term === term && entry.checksum === checksum;
    if (isIt) return { kind: "entry", offset, entry };
    return { kind: "damaged", offset, reason: "an entry is not the one that was written here", index, term };
  } catch (cause) {
    if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
    return { kind: "damaged", offset, reason: cause.message, index, term };
  }
}

function damaged(offset: number, reason: string): ScannedRecord {
  return { kind: "damaged", offset, reason, index: undefined, term: undefined };
}
