import { ByteWriter, crc32c, entryRecordBytes, sealEntry, writeEntryRecord } from "../codec/index.js";
import type { Entry } from "../core/index.js";
import { invariant } from "../core/index.js";
import {
  BATCH_HEAD_BYTES_MIN,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_SUMMED_AT,
  type Batch,
  type BatchPlace,
  FLAG_RESET,
  GROUP_STATE_BYTES,
  type GroupState,
  type SegmentImage,
} from "./batch.js";
import type { Identity } from "./identity.js";
import { BATCH_BODY_BYTES_MAX, BATCH_BUFFER_BYTES, BATCH_BUFFER_KEPT_BYTES } from "./limits.js";

const TWO_TO_32 = 0x1_0000_0000;

/**
 * Builds one batch at a time, in buffers that it keeps: each entry is encoded once, its payload copied once, with
 * nothing allocated for it. Layout: batch.ts.
 */
export class BatchBuilder {
  readonly #identity: Identity;
  /** Header and group state: filled in last. */
  readonly #front: Uint8Array = new Uint8Array(BATCH_HEAD_BYTES_MIN);
  readonly #frontView: DataView = new DataView(this.#front.buffer);
  /** Entry identities, then runs. */
  #tables: ByteWriter = new ByteWriter(BATCH_BUFFER_BYTES);
  /** Entry records. */
  #body: ByteWriter = new ByteWriter(BATCH_BUFFER_BYTES);
  /** First index, term and count of each run, flat. */
  readonly #runs: number[] = [];
  /** How many of these numbers count: to cut an array to nothing is a call of the engine's runtime, two a batch. */
  #runsLength = 0;
  /** Of those that `seal` has put into the tables. */
  #sealedRuns = 0;
  #entryCount = 0;
  #nextIndex = 0;
  #lastTerm = 0;
  /** Of the batch as sealed. */
  #checksum = 0;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get bodyBytes(): number {
    return this.#body.length;
  }

  /** Of the whole batch, were it sealed now. */
  get lengthBytes(): number {
    return this.#front.length + this.#tables.length + this.#runsLength * 8 + this.#body.length;
  }

  /** Of the batch as it was sealed last. */
  get checksum(): number {
    return this.#checksum;
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      sealEntry(this.#identity.group, entry);
      invariant(
        this.#body.length + entryRecordBytes(entry) <= BATCH_BODY_BYTES_MAX,
        "a batch's records are within their limit",
      );
      writeEntryRecord(this.#body, entry);
      this.#tables.i32(entry.checksum);
      this.#tables.u32(entry.data.length);
      if (entry.index === this.#nextIndex && entry.term === this.#lastTerm) {
        (this.#runs[this.#runsLength - 1] as number)++;
      } else {
        this.#runs[this.#runsLength++] = entry.index;
        this.#runs[this.#runsLength++] = entry.term;
        this.#runs[this.#runsLength++] = 1;
      }
      this.#entryCount++;
      this.#nextIndex = entry.index + 1;
      this.#lastTerm = entry.term;
    }
  }

  /** The batch's bytes: valid, and not to be changed, until `clear`, or until it is sealed for another place. */
  seal(state: GroupState, place: BatchPlace): readonly Uint8Array[] {
    for (let i = 0; i < this.#runsLength; i += 3) {
      this.#tables.u64(this.#runs[i] as number);
      this.#tables.u64(this.#runs[i + 1] as number);
      this.#tables.u32(this.#runs[i + 2] as number);
      this.#tables.u32(0);
    }
    const tables = this.#tables.peek(0, this.#tables.length);
    const body = this.#body.peek(0, this.#body.length);
    this.#sealedRuns += this.#runsLength / 3;
    this.#runsLength = 0;
    this.#fillHeader(place, tables.length, body.length, this.#sealedRuns);
    this.#fillState(state);
    const front = crc32c(this.#front, BATCH_SUMMED_AT, this.#front.length, 0);
    this.#checksum = crc32c(tables, 0, tables.length, front);
    this.#frontView.setInt32(4, this.#checksum, true);
    return body.length === 0 ? [this.#front] : [this.#front, tables, body];
  }

  clear(): void {
    this.#entryCount = 0;
    this.#nextIndex = 0;
    this.#lastTerm = 0;
    this.#runsLength = 0;
    this.#sealedRuns = 0;
    this.#tables = emptied(this.#tables);
    this.#body = emptied(this.#body);
  }

  #fillHeader(place: BatchPlace, tableBytes: number, bodyBytes: number, runCount: number): void {
    const view = this.#frontView;
    view.setUint32(0, BATCH_MAGIC, true);
    view.setUint32(8, BATCH_HEAD_BYTES_MIN + tableBytes, true);
    view.setUint32(12, bodyBytes, true);
    view.setUint32(16, 0, true);
    setU64(view, 24, this.#identity.incarnation);
    setPlace(view, place);
    view.setUint32(48, 1, true);
    view.setUint32(52, this.#entryCount, true);
    view.setUint32(56, runCount, true);
    view.setUint32(60, 0, true);
  }

  #fillState(state: GroupState): void {
    const view = this.#frontView;
    const at = BATCH_HEADER_BYTES;
    setU64(view, at, this.#identity.group);
    setU64(view, at + 8, state.term);
    setU64(view, at + 16, state.vote);
    setU64(view, at + 24, state.commit);
    setU64(view, at + 32, state.previousIndex);
    setU64(view, at + 40, state.previousTerm);
    setU64(view, at + 48, state.reset ? FLAG_RESET : 0);
    invariant(at + GROUP_STATE_BYTES === view.byteLength, "a group's state ends the front of a batch");
  }
}

export interface MovedBatch {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

/** A batch that was read, as it must be in another place: all but the place is the same. */
export function moveBatch(image: SegmentImage, batch: Batch, place: BatchPlace): MovedBatch {
  const bytes = image.bytes.slice(batch.offset, batch.end);
  const view = new DataView(bytes.buffer);
  setPlace(view, place);
  const checksum = crc32c(bytes, BATCH_SUMMED_AT, batch.headBytes, 0);
  view.setInt32(4, checksum, true);
  return { bytes, checksum };
}

function setPlace(view: DataView, place: BatchPlace): void {
  view.setInt32(20, place.previousChecksum, true);
  setU64(view, 32, place.segment);
  view.setUint32(40, place.offset, true);
  view.setUint32(44, place.durable, true);
}

function setU64(view: DataView, at: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, "a u64 is a safe integer, not negative");
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / TWO_TO_32), true);
}

/** For the next batch: the same buffer, unless one large batch has blown it up. */
function emptied(buffer: ByteWriter): ByteWriter {
  if (buffer.length > BATCH_BUFFER_KEPT_BYTES) return new ByteWriter(BATCH_BUFFER_BYTES);
  buffer.truncate(0);
  return buffer;
}
