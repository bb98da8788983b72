/**
 * A batch: all that one sync makes durable, there as a whole or not at all (docs/storage-format.md, "A batch").
 *
 *   offset  bytes  field
 *        0      4  "BTCH"
 *        4      4  checksum, crc32c over [8, headBytes)
 *        8      4  headBytes: header and tables
 *       12      4  bodyBytes: entry records
 *       16      4  paddingBytes
 *       20      4  previousChecksum
 *       24      8  incarnation
 *       32      8  segment
 *       40      4  offset of this batch in the segment
 *       44      4  durable: the commit mark
 *       48      4  states    group states, 56 bytes each: group, term, vote, commit, previousIndex, previousTerm, flags
 *       52      4  entries   entry identities, 8 bytes each: checksum, payloadBytes
 *       56      4  runs      24 bytes each: firstIndex, term, count, state
 *       60      4  reserved, zero
 *       64         the three tables, then the entry records
 *
 * This module reads them; batch-builder.ts writes them.
 */
import { ByteReader, crc32c, readEntryRecord, safeInteger } from "../codec/index.js";
import type { Entry } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { Damage } from "./corruption.js";
import type { Identity } from "./identity.js";

/** "BTCH" */
export const BATCH_MAGIC = 0x48435442;
export const BATCH_HEADER_BYTES = 64;
export const GROUP_STATE_BYTES = 56;
const ENTRY_IDENTITY_BYTES = 8;
const RUN_BYTES = 24;
/** With one group's state and no entries. */
export const BATCH_HEAD_BYTES_MIN: number = BATCH_HEADER_BYTES + GROUP_STATE_BYTES;
/** Everything before what the checksum covers. */
export const BATCH_SUMMED_AT = 8;

export const FLAG_RESET = 1;

const SAFE_HIGH_MAX = 0x1f_ffff;

/** What a batch says of its group. */
export interface GroupState {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
  /** End of the log before this batch; with `reset` the snapshot's that replaces the log. */
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly reset: boolean;
}

/** Where a batch is, or goes. */
export interface BatchPlace {
  readonly segment: number;
  readonly offset: number;
  /** The commit mark: all before this offset is durable when the batch is written. */
  readonly durable: number;
  /** Of the batch before, or of the segment's header. */
  readonly previousChecksum: number;
}

/** A batch whose head is sound. What it says of its body is true; the body itself has yet to be checked. */
export interface Batch {
  readonly offset: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly checksum: number;
  readonly previousChecksum: number;
  /** All before this offset was durable when the batch was written. */
  readonly durable: number;
  readonly state: GroupState;
  readonly entryCount: number;
  readonly runCount: number;
  /** Where the next batch begins. */
  readonly end: number;
}

/** Which entry it is, as the tables say, whatever has become of its record. */
export interface EntryIdentity {
  readonly index: number;
  readonly term: number;
  readonly checksum: number;
  readonly payloadBytes: number;
}

/** A segment's bytes in memory. */
export interface SegmentImage {
  readonly path: string;
  readonly segment: number;
  readonly identity: Identity;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The batch at `offset`, or why there is none. */
export function readBatch(image: SegmentImage, offset: number): Batch | string {
  const { view, bytes, identity } = image;
  const available = bytes.length - offset;
  if (available < BATCH_HEAD_BYTES_MIN) return "the file ends within a batch";
  if (view.getUint32(offset, true) !== BATCH_MAGIC) return "no batch begins here";
  // First: a recycled file is full of heads that are sound but for this.
  if (
    view.getUint32(offset + 40, true) !== offset ||
    u64(view, offset + 32) !== image.segment ||
    u64(view, offset + 24) !== identity.incarnation
  ) {
    return "a batch of another place";
  }
  const headBytes = view.getUint32(offset + 8, true);
  const bodyBytes = view.getUint32(offset + 12, true);
  const paddingBytes = view.getUint32(offset + 16, true);
  const states = view.getUint32(offset + 48, true);
  const entryCount = view.getUint32(offset + 52, true);
  const runCount = view.getUint32(offset + 56, true);
  const tableBytes = states * GROUP_STATE_BYTES + entryCount * ENTRY_IDENTITY_BYTES + runCount * RUN_BYTES;
  if (headBytes !== BATCH_HEADER_BYTES + tableBytes) return "a batch's length does not fit its tables";
  if (headBytes > available) return "the file ends within a batch";
  const checksum = view.getInt32(offset + 4, true);
  if (crc32c(bytes, offset + BATCH_SUMMED_AT, offset + headBytes, 0) !== checksum) {
    return "a batch's checksum does not fit";
  }
  const stateAt = offset + BATCH_HEADER_BYTES;
  if (states !== 1 || u64(view, stateAt) !== identity.group) return "a batch of another group";
  return {
    offset,
    headBytes,
    bodyBytes,
    checksum,
    previousChecksum: view.getInt32(offset + 20, true),
    durable: view.getUint32(offset + 44, true),
    state: readGroupState(view, stateAt),
    entryCount,
    runCount,
    end: offset + headBytes + bodyBytes + paddingBytes,
  };
}

function readGroupState(view: DataView, at: number): GroupState {
  return {
    term: u64(view, at + 8),
    vote: u64(view, at + 16),
    commit: u64(view, at + 24),
    previousIndex: u64(view, at + 32),
    previousTerm: u64(view, at + 40),
    reset: (view.getUint32(at + 48, true) & FLAG_RESET) !== 0,
  };
}

/**
 * Appends the batch's entries to `into`, each verified by its own checksum and against its identity in the tables.
 * Payloads are views of the image. At the first damaged one it stops and says which.
 */
export function readBatchEntries(image: SegmentImage, batch: Batch, into: Entry[]): Damage | undefined {
  const { path, view, identity } = image;
  const bodyAt = batch.offset + batch.headBytes;
  let identityAt = batch.offset + BATCH_HEAD_BYTES_MIN;
  let runAt = identityAt + batch.entryCount * ENTRY_IDENTITY_BYTES;
  const reader = new ByteReader(image.bytes, bodyAt, Math.min(bodyAt + batch.bodyBytes, image.bytes.length));
  let offset = bodyAt;
  let index = 0;
  let term = 0;
  try {
    for (let run = 0; run < batch.runCount; run++, runAt += RUN_BYTES) {
      const firstIndex = u64(view, runAt);
      const count = view.getUint32(runAt + 16, true);
      term = u64(view, runAt + 8);
      for (index = firstIndex; index < firstIndex + count; index++, identityAt += ENTRY_IDENTITY_BYTES) {
        offset = reader.position;
        const entry = readEntryRecord(reader, identity.group);
        if (
          entry.index !== index ||
          entry.term !== term ||
          entry.checksum !== view.getInt32(identityAt, true) ||
          entry.data.length !== view.getUint32(identityAt + 4, true)
        ) {
          return { file: path, offset, index, term, reason: "an entry is not the one that was written here" };
        }
        into.push(entry);
      }
    }
  } catch (cause) {
    if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
    return { file: path, offset, index, term, reason: cause.message };
  }
  if (reader.position !== bodyAt + batch.bodyBytes) {
    return { file: path, offset: reader.position, reason: "a batch's body does not fit its tables" };
  }
  return undefined;
}

/** The tables of a batch whose head is sound. Needs nothing of its body. */
export function readBatchIdentities(image: SegmentImage, batch: Batch): readonly EntryIdentity[] {
  const identities: EntryIdentity[] = [];
  const at = new IdentityCursor();
  for (at.begin(image, batch); at.next(); ) {
    const { index, term, checksum, payloadBytes } = at;
    identities.push({ index, term, checksum, payloadBytes });
  }
  return identities;
}

const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));

/** Goes through the same tables, of one batch after the other, and makes nothing of them: for logs of millions of entries. */
export class IdentityCursor implements EntryIdentity {
  index = 0;
  term = 0;
  checksum = 0;
  payloadBytes = 0;
  #view: DataView = NO_BYTES;
  #identityAt = 0;
  #entriesLeft = 0;
  #runAt = 0;
  #runsLeft = 0;
  #nextIndex = 0;
  /** Behind the run. */
  #endIndex = 0;

  /** It stands before the batch's first entry then. */
  begin({ view }: SegmentImage, { offset, entryCount, runCount }: Batch): void {
    this.#view = view;
    this.#identityAt = offset + BATCH_HEAD_BYTES_MIN;
    this.#entriesLeft = entryCount;
    this.#runAt = this.#identityAt + entryCount * ENTRY_IDENTITY_BYTES;
    this.#runsLeft = runCount;
    this.#nextIndex = 0;
    this.#endIndex = 0;
  }

  /** Goes on to the next entry; false if there is none. */
  next(): boolean {
    if (this.#entriesLeft === 0) return false;
    // Not by equality: an index that is no safe integer is NaN here, and its run has no entries.
    while (!(this.#nextIndex < this.#endIndex)) if (!this.#nextRun()) return false;
    this.index = this.#nextIndex++;
    this.checksum = this.#view.getInt32(this.#identityAt, true);
    this.payloadBytes = this.#view.getUint32(this.#identityAt + 4, true);
    this.#identityAt += ENTRY_IDENTITY_BYTES;
    this.#entriesLeft--;
    return true;
  }

  #nextRun(): boolean {
    if (this.#runsLeft === 0) return false;
    this.#runsLeft--;
    this.#nextIndex = u64(this.#view, this.#runAt);
    this.term = u64(this.#view, this.#runAt + 8);
    this.#endIndex = this.#nextIndex + this.#view.getUint32(this.#runAt + 16, true);
    this.#runAt += RUN_BYTES;
    return true;
  }
}

/**
 * The first sound head behind `offset`, wherever it may begin, whose commit mark says that what is at `offset` had been
 * durable when it was written; undefined if there is none.
 */
export function findVoucher(image: SegmentImage, offset: number): Batch | undefined {
  const { bytes } = image;
  const firstByte = BATCH_MAGIC & 0xff;
  for (let at = bytes.indexOf(firstByte, offset + 1); at !== -1; at = bytes.indexOf(firstByte, at + 1)) {
    const batch = readBatch(image, at);
    // A witness that a later batch has left in its place says nothing of what was written since.
    if (typeof batch !== "string" && batch.durable > offset) return batch;
  }
  return undefined;
}

/** What was written is a safe integer; what is read is under a checksum by then, and NaN equals nothing. */
function u64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high > SAFE_HIGH_MAX ? Number.NaN : safeInteger(high, view.getUint32(at, true));
}
