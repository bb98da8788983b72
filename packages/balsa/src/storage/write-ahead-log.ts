/**
 * The log on disk. Specified in docs/storage-format.md; in short:
 *
 *   DIR/log/NNNNNNNNNNNNNNNN.log    segments; numbers rise and are never used twice
 *
 *   segment = header (segment-header.ts), then batches, one directly behind the other
 *   header  = magic, version, checksum; cluster, member, group, incarnation; its number; link to the segment before
 *             (number, end, checksum of the last batch there); index and term of the log before it
 *   batch   = all that one sync makes durable (batch.ts): a header, the hard state, the identity of each entry (index,
 *             term, checksum, length), then the entry records, byte for byte as they travel. Its checksum covers where
 *             it is, the checksum of the batch before, the commit mark and the entries' checksums; theirs cover the
 *             payloads
 *
 * A segment gets its name only when its header and first batch are durable. One write is in flight; a batch is written
 * only when all before it is durable, which is what its commit mark says.
 *
 *   a crash leaves                        recovery (log-recovery.ts)
 *   part of the newest batch              a torn tail: nobody was told, the batch is dropped as a whole
 *   a segment without its name            removed
 *   anything else that is not sound       corruption: refused, with file, offset, index and term
 *
 * Opening begins a fresh segment, which repeats the last batch and links to what is before that: what a failed sync may
 * have left in the kernel's cache only is written anew, and nothing that was read is changed. An entry whose index is not
 * above the last replaces the log from there on. A snapshot from elsewhere resets the log, in the first batch of a new
 * segment: that batch is what decides.
 *
 * While the log is idle nothing vouches for its last batch; so after a while an empty batch, a mark, does.
 */
import type { HardState } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { File, FileError, FileSystem, Platform, Timer } from "../platform/index.js";
import { type MovedBatch, moveBatch } from "./batch-builder.js";
import { isNotFound, storageFailure } from "./corruption.js";
import { type DataPaths, segmentPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { IDLE_MARK_MS } from "./limits.js";
import type { RecoveredLog, SegmentSpan } from "./log-recovery.js";
import { type LogEnd, type LogWrite, PendingBatch, type QueuedWrite, type WriteDone } from "./pending-batch.js";
import { createSegment } from "./segment-file.js";
import { SEGMENT_HEADER_BYTES } from "./segment-header.js";

export interface WriteAheadLogOptions {
  readonly platform: Pick<Platform, "clock" | "files" | "logger">;
  readonly paths: DataPaths;
  readonly identity: Identity;
  readonly segmentBytes: number;
  /** Called for each write in order, when it is durable and before its `done`. */
  readonly onDurable: (write: LogWrite) => void;
}

/** Group commit: whatever arrives while a sync runs goes, as one batch, into the next one. */
export class WriteAheadLog {
  readonly #options: WriteAheadLogOptions;
  readonly #files: FileSystem;

  #file: File;
  #segment: number;
  /** Where the next batch goes. All before it is durable while nothing is in flight. */
  #offset: number;
  /** Of the last batch. */
  #checksum: number;
  /** All segments of the log, rising; the last is the one that is written. */
  #spans: SegmentSpan[];

  /** The end of the log and the hard state with all writes that have been encoded, durable or not. */
  #end: LogEnd;
  #hardState: HardState;
  /** What the last batch to be written said. */
  #writtenHardState: HardState;

  /** What gathers, and what is being written: they change places. */
  #pending: PendingBatch;
  #spare: PendingBatch;
  #inFlight: PendingBatch | undefined;
  /** Writes for which there is no room in `pending`. */
  #waiting: QueuedWrite[] = [];
  /** Writes that need no sync and have nothing to wait for: told at the end of the turn. */
  #settled: QueuedWrite[] = [];

  /** Nothing vouches for the last batch yet, and it is neither a segment's first nor a mark. */
  #unvouched = false;
  #markTimer: Timer | undefined;
  /** Batches written since the timer was set. */
  #batchesSinceTimer = 0;

  /** Why nothing is taken any more. */
  #refusal: BalsaError | undefined;
  #failed = false;
  #onIdle: (() => void) | undefined;
  /** Closing and removing old segments, one after the other. */
  #housekeeping: Promise<void> = Promise.resolve();

  private constructor(options: WriteAheadLogOptions, recovered: RecoveredLog, file: File, moved: MovedBatch) {
    const { last, nextSegment, spans } = recovered;
    const { previousIndex } = last.batch.state;
    this.#options = options;
    this.#files = options.platform.files;
    this.#file = file;
    this.#segment = nextSegment;
    this.#offset = SEGMENT_HEADER_BYTES + moved.bytes.length;
    this.#checksum = moved.checksum;
    this.#spans = [...spans, { segment: nextSegment, previousIndex }];
    this.#end = endOf(recovered);
    this.#hardState = recovered.hardState;
    this.#writtenHardState = recovered.hardState;
    this.#pending = new PendingBatch(options.identity);
    this.#spare = new PendingBatch(options.identity);
  }

  /** Begins the fresh segment: what was recovered is durable, whatever it was before. @throws FileError */
  static async open(options: WriteAheadLogOptions, recovered: RecoveredLog): Promise<WriteAheadLog> {
    const { platform, paths, identity } = options;
    const { image, batch } = recovered.last;
    const { previousIndex, previousTerm } = batch.state;
    const header = { segment: recovered.nextSegment, previous: recovered.link, previousIndex, previousTerm };
    for (const path of recovered.temporaries) await platform.files.remove(path);
    let moved: MovedBatch | undefined;
    const file = await createSegment(platform.files, paths, identity, header, (place) => {
      moved = moveBatch(image, batch, place);
      return [moved.bytes];
    });
    invariant(moved !== undefined, "a segment is created with its first batch");
    const log = new WriteAheadLog(options, recovered, file, moved);
    log.#removeSegments(recovered.unlinked);
    return log;
  }

  append(write: LogWrite, done: WriteDone): void {
    const queued: QueuedWrite = { write, done };
    if (this.#refusal !== undefined) {
      const refusal = this.#refusal;
      this.#options.platform.clock.nextTurn(() => done(refusal));
    } else if (this.#waiting.length > 0 || !this.#take(queued)) {
      this.#waiting.push(queued);
    } else if (this.#inFlight === undefined && !this.#pending.isEmpty) {
      this.#flush();
    }
  }

  /** Removes the segments that hold nothing above `index`, which a durable snapshot must cover. */
  release(index: number): void {
    this.#dropSpans(
      Math.max(
        0,
        this.#spans.findLastIndex((span) => span.previousIndex <= index),
      ),
    );
  }

  /** Takes no more, finishes what was given, vouches for the last batch, and closes the file. */
  async close(): Promise<void> {
    this.#refusal ??= new BalsaError("closed", "the storage is closed");
    this.#markTimer?.cancel();
    this.#markTimer = undefined;
    await this.#idle();
    const commitIsAhead = this.#hardState.commit !== this.#writtenHardState.commit;
    if (!this.#failed && (this.#unvouched || commitIsAhead)) {
      this.#writeMark();
      await this.#idle();
    }
    const file = this.#file;
    this.#housekeep(() => file.close(), file.path);
    await this.#housekeeping;
  }

  // What comes in.

  /** Puts a write where it belongs; false if it has to wait for the next batch. */
  #take(queued: QueuedWrite): boolean {
    const { write } = queued;
    if (!this.#needsSync(write)) {
      if (write.hardState !== undefined) this.#hardState = write.hardState;
      if (!this.#pending.isEmpty) this.#pending.attach(queued);
      else if (this.#inFlight !== undefined) this.#inFlight.attach(queued);
      else this.#settle(queued);
      return true;
    }
    if (!this.#pending.admits(write)) return false;
    try {
      this.#encode(queued);
    } catch (cause) {
      // An entry over the limit, a broken invariant: part of the write may be in the batch already.
      this.#fail(cause, queued);
    }
    return true;
  }

  #encode(queued: QueuedWrite): void {
    const { snapshot, entries, hardState } = queued.write;
    const previous = snapshot === undefined ? this.#end : snapshot.meta;
    const first = entries[0];
    const last = entries.at(-1);
    if (first !== undefined && last !== undefined) {
      invariant(first.index <= previous.index + 1, "a write leaves no gap in the log");
      invariant(last.index - first.index === entries.length - 1, "a write's entries are consecutive");
    }
    this.#pending.add(queued, this.#end);
    this.#end = last ?? previous;
    if (hardState !== undefined) this.#hardState = hardState;
  }

  #needsSync(write: LogWrite): boolean {
    if (write.mustSync || write.entries.length > 0 || write.snapshot !== undefined) return true;
    const { hardState } = write;
    if (hardState === undefined) return false;
    return hardState.term !== this.#hardState.term || hardState.vote !== this.#hardState.vote;
  }

  #settle(queued: QueuedWrite): void {
    this.#settled.push(queued);
    if (this.#settled.length === 1) {
      this.#options.platform.clock.nextTurn(() => {
        this.#tellSettled();
        if (!this.#isBusy) this.#onIdle?.();
      });
    }
  }

  // What is written.

  #flush(): void {
    const batch = this.#pending;
    this.#pending = this.#spare;
    this.#spare = batch;
    this.#inFlight = batch;
    this.#writtenHardState = this.#hardState;
    const isMark = batch.isEmpty;
    const isFull = !isMark && this.#offset + batch.lengthBytes > this.#options.segmentBytes;
    if (batch.isReset || isFull) {
      this.#writeToNewSegment(batch).then(
        () => this.#written(batch, false),
        (cause: unknown) => this.#fail(cause),
      );
      return;
    }
    const lengthBytes = batch.lengthBytes;
    const place = {
      segment: this.#segment,
      offset: this.#offset,
      durable: this.#offset,
      previousChecksum: this.#checksum,
    };
    const buffers = batch.seal(this.#hardState, place);
    this.#file.writeAndSync(this.#offset, buffers, (error: FileError | undefined) => {
      if (error !== undefined) {
        this.#fail(error);
        return;
      }
      this.#offset += lengthBytes;
      this.#checksum = batch.checksum;
      this.#written(batch, !isMark);
    });
  }

  async #writeToNewSegment(batch: PendingBatch): Promise<void> {
    const { paths, identity } = this.#options;
    const hardState = this.#hardState;
    const segment = this.#segment + 1;
    const { index: previousIndex, term: previousTerm } = batch.previous;
    const previous = { segment: this.#segment, end: this.#offset, checksum: this.#checksum };
    const lengthBytes = batch.lengthBytes;
    const header = { segment, previous, previousIndex, previousTerm };
    const file = await createSegment(this.#files, paths, identity, header, (place) => batch.seal(hardState, place));
    const full = this.#file;
    this.#housekeep(() => full.close(), full.path);
    this.#file = file;
    this.#segment = segment;
    this.#offset = SEGMENT_HEADER_BYTES + lengthBytes;
    this.#checksum = batch.checksum;
    this.#spans.push({ segment, previousIndex });
    // Nothing before a reset is needed, whatever its index.
    if (batch.isReset) this.#dropSpans(this.#spans.length - 1);
  }

  /** The batch is durable: the next one is sent off, then everybody is told. */
  #written(batch: PendingBatch, isUnvouched: boolean): void {
    if (this.#failed) return;
    const writes = batch.take();
    this.#inFlight = undefined;
    this.#unvouched = isUnvouched;
    this.#batchesSinceTimer++;
    if (!this.#pending.isEmpty) this.#flush();
    this.#refill();
    this.#tellSettled();
    for (const { write, done } of writes) {
      this.#options.onDurable(write);
      done(undefined);
    }
    if (this.#isBusy) return;
    this.#onIdle?.();
    this.#scheduleMark();
  }

  #refill(): void {
    let taken = 0;
    for (const queued of this.#waiting) {
      if (this.#failed || !this.#take(queued)) break;
      taken++;
    }
    if (taken > 0) this.#waiting.splice(0, taken);
  }

  #tellSettled(): void {
    if (this.#settled.length === 0) return;
    const settled = this.#settled;
    this.#settled = [];
    for (const { write, done } of settled) {
      this.#options.onDurable(write);
      done(undefined);
    }
  }

  /**
   * For good: what the file holds now is unknown, and a second sync might lie about the first.
   * @param culprit a write that may not be in any queue yet
   */
  #fail(cause: unknown, culprit?: QueuedWrite): void {
    if (this.#failed) return;
    const { clock, logger } = this.#options.platform;
    const failure = storageFailure("writing the log", cause);
    const error = failure instanceof BalsaError ? failure : new BalsaError("invariant", "writing the log", { cause });
    logger.log("error", "the log failed; this member stops", { cause });
    this.#refusal = error;
    this.#failed = true;
    this.#markTimer?.cancel();
    const writes = [...this.#settled, ...(this.#inFlight?.take() ?? []), ...this.#pending.take(), ...this.#waiting];
    if (culprit !== undefined && !writes.includes(culprit)) writes.push(culprit);
    this.#inFlight = undefined;
    this.#settled = [];
    this.#waiting = [];
    clock.nextTurn(() => {
      for (const { done } of writes) done(error);
    });
    this.#onIdle?.();
  }

  // What is done when there is nothing to do.

  get #isBusy(): boolean {
    return this.#inFlight !== undefined || this.#settled.length > 0;
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isBusy) resolve();
      else this.#onIdle = resolve;
    });
  }

  /** One timer for many batches: setting one for each would cost more than it tells. */
  #scheduleMark(): void {
    if (!this.#unvouched || this.#markTimer !== undefined || this.#refusal !== undefined) return;
    this.#batchesSinceTimer = 0;
    this.#markTimer = this.#options.platform.clock.setTimer(IDLE_MARK_MS, () => {
      this.#markTimer = undefined;
      if (this.#isBusy || this.#refusal !== undefined) return;
      if (this.#batchesSinceTimer > 0) this.#scheduleMark();
      else this.#writeMark();
    });
  }

  #writeMark(): void {
    this.#pending.begin(this.#end);
    this.#flush();
  }

  #dropSpans(count: number): void {
    this.#removeSegments(this.#spans.splice(0, count).map(({ segment }) => segment));
  }

  #removeSegments(segments: readonly number[]): void {
    for (const segment of segments) {
      const path = segmentPath(this.#options.paths, segment);
      this.#housekeep(() => this.#files.remove(path), path);
    }
  }

  /** What fails here costs space, not data; the next open tries again. */
  #housekeep(work: () => Promise<void>, path: string): void {
    this.#housekeeping = this.#housekeeping.then(work).catch((cause: unknown) => {
      if (isNotFound(cause)) return;
      this.#options.platform.logger.log("warn", "an old segment could not be closed or removed", { file: path, cause });
    });
  }
}

function endOf(recovered: RecoveredLog): LogEnd {
  return recovered.entries.at(-1) ?? recovered.snapshot;
}
