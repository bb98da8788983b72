import { ByteWriter } from "../codec/index.js";
import type { HardState } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { FileError, FileSystem, Platform, Timer } from "../platform/index.js";
import type { BatchPlace } from "./batch.js";
import { moveBatch } from "./batch-builder.js";
import { type DataPaths, segmentPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { ROOM_RESERVE_BYTES, ROOM_RETRY_MS, SPARE_BYTES_MIN, SPARE_GROWTH, WITNESS_SECTOR_BYTES } from "./limits.js";
import { encodeTerminator, TERMINATOR_BYTES, witnessOffset } from "./log-end.js";
import type { RecoveredLog, SegmentSpan } from "./log-recovery.js";
import type { PendingBatch } from "./pending-batch.js";
import {
  createBase,
  isDiskFull,
  isShortage,
  makeSegment,
  type SealedBatch,
  type SegmentBase,
  type SegmentFile,
  terminated,
  writeSynced,
} from "./segment-file.js";
import { SEGMENT_HEADER_BYTES } from "./segment-header.js";
import { SpareSegments } from "./spare-segments.js";

export interface SegmentWriterOptions {
  readonly platform: Pick<Platform, "clock" | "files" | "logger">;
  readonly paths: DataPaths;
  readonly identity: Identity;
  readonly segmentBytes: number;
  /** Default true; false, as an earlier version wrote: what comes after a segment's last batch does not end it. */
  readonly isTerminated?: boolean | undefined;
}

export type WriteOutcome =
  /** `beginsSegment`: durable with the segment's name, which vouches for it. */
  | { readonly kind: "durable"; readonly beginsSegment: boolean }
  /** It could do without (a mark), or nobody wants to wait for room any more. Nothing of it is in the log. */
  | { readonly kind: "given-up"; readonly cause: unknown }
  /** What the disk holds is not known. */
  | { readonly kind: "failed"; readonly cause: unknown };

/** A batch under way, or waiting for room. */
interface Task {
  readonly batch: PendingBatch;
  readonly hardState: HardState;
  readonly done: (outcome: WriteOutcome) => void;
}

/** What opening leaves to begin with. */
interface Start {
  readonly current: SegmentFile;
  /** The first segment of this process. */
  readonly firstOwn: number;
  readonly offset: number;
  readonly checksum: number;
  readonly spans: readonly SegmentSpan[];
  readonly unlinked: readonly number[];
}

/**
 * Brings one batch after the other to its place: behind the last one, or into a new segment. A batch that finds no room
 * waits for it; a write or sync that fails in another way is final.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #files: FileSystem;
  readonly #spares: SpareSegments;
  #current: SegmentFile;
  /** Where the next batch goes. All before it is durable while nothing is under way. */
  #offset: number;
  /** Of the last batch. */
  #checksum: number;
  /** All segments of the log, rising; the last is the current one. */
  #spans: SegmentSpan[];
  /** Those before are an earlier process', of which this one has read no more than it needed. */
  readonly #firstOwn: number;
  #task: Task | undefined;
  /** A segment that holds the task's batch, and whose name is not durable yet. */
  #unnamed: SegmentFile | undefined;
  /** Names for files of this process. */
  #attempts = 0;

  #retry: Timer | undefined;
  /** The task waits, and this is why. */
  #shortage: FileError | undefined;
  #isFull = false;
  #onRoom: (isFull: boolean) => void = () => {};
  #isClosing = false;

  private constructor(options: SegmentWriterOptions, spares: SpareSegments, start: Start) {
    this.#options = options;
    this.#files = options.platform.files;
    this.#spares = spares;
    this.#current = start.current;
    this.#offset = start.offset;
    this.#checksum = start.checksum;
    this.#spans = [...start.spans];
    this.#firstOwn = start.firstOwn;
  }

  /**
   * Makes durable what was recovered, whatever it was before: in a fresh segment, which repeats the last batch; if the disk
   * has no room for one, in its place.
   * @throws FileError
   */
  static async open(options: SegmentWriterOptions, recovered: RecoveredLog): Promise<SegmentWriter> {
    const { paths, platform } = options;
    let writer: SegmentWriter | undefined;
    const spares = new SpareSegments({
      ...options,
      onChange: () => {
        if (writer !== undefined) writer.#sparesChanged();
      },
    });
    try {
      for (const path of recovered.temporaries) await platform.files.remove(path);
      await spares.adopt(recovered.spares);
      const fresh = await beginFresh(options, recovered, spares);
      const start = fresh ?? (await continueInPlace(options, recovered));
      writer = new SegmentWriter(options, spares, start);
      for (const segment of start.unlinked) spares.releaseUnread(segmentPath(paths, segment));
      // As large as the one that was taken just now: that a member was restarted is no sign that it writes more.
      spares.want(Math.ceil(start.current.preparedBytes / SPARE_GROWTH));
      return writer;
    } catch (cause) {
      await spares.close();
      throw cause;
    }
  }

  /** New work had better be refused: there is hardly room left for what is under way already. */
  get isFull(): boolean {
    return this.#isFull;
  }

  watchRoom(changed: (isFull: boolean) => void): void {
    this.#onRoom = changed;
  }

  /** One at a time. `done` is called in a later turn. */
  write(batch: PendingBatch, hardState: HardState, done: (outcome: WriteOutcome) => void): void {
    invariant(this.#task === undefined, "one batch is written at a time");
    this.#task = { batch, hardState, done };
    this.#attempt(this.#task);
  }

  /** Removes the segments that hold nothing above `index`, which a durable snapshot must cover. */
  release(index: number): void {
    const first = this.#spans.findLastIndex((span) => span.previousIndex <= index);
    this.#dropSpans(Math.max(0, first));
  }

  /** A batch that waits for room is given up, now or when it finds none. */
  stopWaiting(): void {
    this.#isClosing = true;
    const task = this.#task;
    if (task === undefined || this.#retry === undefined) return;
    this.#retry.cancel();
    this.#retry = undefined;
    const cause = this.#shortage;
    this.#options.platform.clock.nextTurn(() => this.#finish(task, { kind: "given-up", cause }));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#retry?.cancel();
    this.#spares.closeFile(this.#current.file);
    if (this.#unnamed !== undefined) this.#spares.closeFile(this.#unnamed.file);
    await this.#spares.close();
  }

  // Where a batch goes.

  #attempt(task: Task): void {
    const { batch, hardState } = task;
    if (batch.isReset || this.#unnamed !== undefined || (!batch.isMark && !this.#hasPlaceFor(batch.lengthBytes))) {
      this.#writeToNewSegment(task).then(
        () => this.#finish(task, { kind: "durable", beginsSegment: true }),
        (cause: unknown) => this.#obstructed(task, cause, false),
      );
      return;
    }
    const { lengthBytes } = batch;
    const { identity } = this.#options;
    const [offset, current] = [this.#offset, this.#current];
    const place = { segment: current.segment, offset, durable: offset, previousChecksum: this.#checksum };
    const witness = batch.isMark && current.isTerminated ? sealWitness(batch, hardState, place, identity) : [];
    const sealed = terminated(current, identity, offset, seal(batch, hardState, place));
    const buffers = witness.length === 0 ? sealed : [...sealed, ...witness];
    current.file.writeAndSync(offset, buffers, (error) => {
      if (error !== undefined) {
        this.#obstructed(task, error, true);
        return;
      }
      this.#offset += lengthBytes;
      this.#checksum = batch.checksum;
      this.#finish(task, { kind: "durable", beginsSegment: false });
    });
  }

  /** Whether the current segment is to take so much. Beyond what was prepared it grows where there is no spare. */
  #hasPlaceFor(lengthBytes: number): boolean {
    const { segmentBytes } = this.#options;
    const { preparedBytes } = this.#current;
    const end = this.#offset + lengthBytes + TERMINATOR_BYTES;
    if (this.#shortage !== undefined && this.#spares.hasReady) return false;
    if (end <= (preparedBytes > 0 ? preparedBytes : Math.min(SPARE_BYTES_MIN, segmentBytes))) return true;
    return end <= segmentBytes && !this.#spares.hasReady;
  }

  async #writeToNewSegment({ batch, hardState }: Task): Promise<void> {
    const previousIndex = batch.previous.index;
    const made = (this.#unnamed ??= await this.#makeSegment(batch, hardState));
    await this.#files.syncDir(this.#options.paths.log);
    this.#unnamed = undefined;
    // One that grows says nothing of how much is written; the one before it does.
    const sizeBytes = made.preparedBytes > 0 ? made.preparedBytes : this.#offset;
    this.#spares.closeFile(this.#current.file);
    this.#current = made;
    this.#offset = SEGMENT_HEADER_BYTES + batch.lengthBytes;
    this.#checksum = batch.checksum;
    this.#spans.push({ segment: made.segment, previousIndex });
    // Nothing before a reset is needed, whatever its index.
    if (batch.isReset) this.#dropSpans(this.#spans.length - 1);
    this.#spares.want(sizeBytes);
  }

  async #makeSegment(batch: PendingBatch, hardState: HardState): Promise<SegmentFile> {
    const { paths, identity, isTerminated = true } = this.#options;
    const segment = this.#current.segment + 1;
    const { index: previousIndex, term: previousTerm } = batch.previous;
    const previous = { segment: this.#current.segment, end: this.#offset, checksum: this.#checksum };
    const start = { segment, previous, previousIndex, previousTerm, isTerminated };
    const base = this.#spares.take() ?? (await createBase(this.#files, paths, segment, ++this.#attempts));
    try {
      return await makeSegment(this.#files, paths, identity, base, start, (place) => seal(batch, hardState, place));
    } catch (cause) {
      if (isShortage(cause)) restore(this.#spares, base);
      else this.#spares.closeFile(base.file);
      throw cause;
    }
  }

  // What comes of it.

  #finish(task: Task, outcome: WriteOutcome): void {
    if (this.#task !== task) return;
    this.#task = undefined;
    this.#shortage = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#updateRoom();
    task.done(outcome);
  }

  /** No room and no descriptor may come to be had; anything else is final. */
  #obstructed(task: Task, cause: unknown, wasInPlace: boolean): void {
    if (!isShortage(cause)) {
      this.#finish(task, { kind: "failed", cause });
      return;
    }
    if (task.batch.isMark || this.#isClosing) {
      this.#finish(task, { kind: "given-up", cause });
      return;
    }
    if (this.#shortage === undefined) {
      const { logger } = this.#options.platform;
      const { code, message: reason } = cause;
      const file = this.#currentPath;
      logger.log("warn", "the log waits: nothing is acknowledged until there is room", { code, file, reason });
    }
    this.#shortage = cause;
    this.#updateRoom();
    if (wasInPlace && this.#spares.hasReady) {
      this.#attempt(task);
      return;
    }
    this.#retry = this.#options.platform.clock.setTimer(ROOM_RETRY_MS, () => this.#tryAgain());
  }

  #tryAgain(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    if (this.#task !== undefined) this.#attempt(this.#task);
  }

  /** A spare has come, or there is no room for one. */
  #sparesChanged(): void {
    this.#updateRoom();
    if (this.#retry !== undefined && this.#spares.hasReady) this.#tryAgain();
  }

  #updateRoom(): void {
    const { preparedBytes } = this.#current;
    const isShort = preparedBytes - this.#offset < Math.min(ROOM_RESERVE_BYTES, preparedBytes / 2 + 1);
    const isFull = isDiskFull(this.#shortage) || (this.#spares.isStarved && isShort);
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    const { logger } = this.#options.platform;
    const file = this.#currentPath;
    if (isFull) logger.log("warn", "the disk is full; no new entries are taken", { file });
    else logger.log("info", "the disk has room again", { file });
    this.#onRoom(isFull);
  }

  /** The file itself may have been opened under a spare's name. */
  get #currentPath(): string {
    return segmentPath(this.#options.paths, this.#current.segment);
  }

  #dropSpans(count: number): void {
    for (const { segment } of this.#spans.splice(0, count)) {
      const path = segmentPath(this.#options.paths, segment);
      if (segment < this.#firstOwn) this.#spares.releaseUnread(path);
      else this.#spares.release(path);
    }
  }
}

/** What lies between a mark and its witness, and the slabs of witnesses: to make both anew took more time than all else of a mark. */
const ZEROS: Uint8Array = new Uint8Array(WITNESS_SECTOR_BYTES);
const witnesses = new ByteWriter();

function seal(batch: PendingBatch, hardState: HardState, place: BatchPlace): SealedBatch {
  const buffers = batch.seal(hardState, place);
  return { buffers, checksum: batch.checksum };
}

/**
 * The mark once more, in another sector than what it vouches for, so that no one sector takes both: what follows the
 * mark's terminator. It is no part of the chain; the next batch begins before it.
 */
function sealWitness(
  mark: PendingBatch,
  hardState: HardState,
  place: BatchPlace,
  { incarnation }: Identity,
): readonly Uint8Array[] {
  const { segment } = place;
  const markEnd = place.offset + mark.lengthBytes;
  const offset = witnessOffset(markEnd);
  const zeros = ZEROS.subarray(0, offset - markEnd - TERMINATOR_BYTES);
  const { previousChecksum, durable } = place;
  const buffers = mark.seal(hardState, { segment, offset, durable, previousChecksum });
  // Copied: the mark is sealed in the same buffers next.
  for (const buffer of buffers) witnesses.raw(buffer);
  const terminatorPlace = { incarnation, segment, offset: offset + mark.lengthBytes };
  return [zeros, witnesses.finish(), encodeTerminator(terminatorPlace, mark.checksum)];
}

/**
 * Begins the fresh segment: its first batch repeats the last one, its link goes to what is before that. undefined: the disk
 * has no room for one.
 */
async function beginFresh(
  options: SegmentWriterOptions,
  recovered: RecoveredLog,
  spares: SpareSegments,
): Promise<Start | undefined> {
  const { platform, paths, identity, isTerminated = true } = options;
  const { image, batch } = recovered.last;
  const { previousIndex, previousTerm } = batch.state;
  const segment = recovered.nextSegment;
  const start = { segment, previous: recovered.link, previousIndex, previousTerm, isTerminated };
  let base: SegmentBase | undefined;
  let current: SegmentFile;
  let checksum = 0;
  try {
    base = spares.take() ?? (await createBase(platform.files, paths, segment, 0));
    current = await makeSegment(platform.files, paths, identity, base, start, (place) => {
      const moved = moveBatch(image, batch, place);
      checksum = moved.checksum;
      return { buffers: [moved.bytes], checksum };
    });
  } catch (cause) {
    if (!isDiskFull(cause)) {
      await base?.file.close();
      throw cause;
    }
    if (base !== undefined) restore(spares, base);
    return undefined;
  }
  // From here on whoever opens the directory next may find it under its name, and takes it for the log's end. So whatever
  // fails now, a lack of room among it, ends the opening: what was added to the segment before would not be seen again.
  try {
    await platform.files.syncDir(paths.log);
  } catch (cause) {
    await current.file.close();
    throw cause;
  }
  const repeated = { segment: image.segment, position: batch.offset };
  recovered.index.moveFrom(repeated, segment, SEGMENT_HEADER_BYTES - batch.offset);
  const spans = [...recovered.spans, { segment, previousIndex }];
  const offset = SEGMENT_HEADER_BYTES + batch.end - batch.offset;
  return { current, firstOwn: current.segment, offset, checksum, spans, unlinked: recovered.unlinked };
}

/**
 * With no room for a fresh segment: the last batch is written anew where it is, with the bytes that it has, and the log
 * goes on behind it. A torn write that lies there is overwritten.
 */
async function continueInPlace(options: SegmentWriterOptions, recovered: RecoveredLog): Promise<Start> {
  const { files, logger } = options.platform;
  const { image, batch, isTerminated } = recovered.last;
  const { segment, path, bytes } = image;
  logger.log("warn", "the disk is full; the log goes on in its last segment", { file: path });
  const file = await files.open(path, "write");
  const { incarnation } = options.identity;
  const terminator = encodeTerminator({ incarnation, segment, offset: batch.end }, batch.checksum);
  // Where the file ends sooner there is no room for it: then the log's end looks torn until there is another batch.
  const terminatorBytes = isTerminated ? Math.min(terminator.length, bytes.length - batch.end) : 0;
  try {
    const buffers = [bytes.subarray(batch.offset, batch.end), terminator.subarray(0, terminatorBytes)];
    await writeSynced(file, batch.offset, buffers);
  } catch (cause) {
    await file.close();
    throw cause;
  }
  const isLinked = recovered.spans.some((span) => span.segment === segment);
  const own = { segment, previousIndex: batch.state.previousIndex };
  return {
    current: { segment, file, preparedBytes: bytes.length, isTerminated },
    firstOwn: segment + 1,
    offset: batch.end,
    checksum: batch.checksum,
    // A segment that holds its first batch alone was to be replaced.
    spans: isLinked ? recovered.spans : [...recovered.spans, own],
    unlinked: recovered.unlinked.filter((other) => other !== segment),
  };
}

function restore(spares: SpareSegments, base: SegmentBase): void {
  if (base.preparedBytes > 0) spares.giveBack(base);
  else spares.discard(base);
}

/** What a caller hears whose write found no room and will not wait. */
export function diskFull(cause: unknown): BalsaError {
  return new BalsaError("disk-full", "the disk is full", { cause, applied: "unknown", retryable: true });
}
