/**
 * The log on disk. Specified in docs/storage-format.md; in short:
 *
 *   DIR/log/NNNNNNNNNNNNNNNN.log      segments; numbers rise and are never used twice
 *   DIR/log/NNNNNNNNNNNNNNNN.spare    files written beforehand, which wait to become segments (spare-segments.ts)
 *
 *   segment = header (segment-header.ts), then batches, one directly behind the other, then a terminator (log-end.ts)
 *   header  = magic, version, checksum; cluster, member, group, incarnation; its number; link to the segment before
 *             (number, end, checksum of the last batch there); index and term of the log before it
 *   batch   = all that one sync makes durable (batch.ts): a header, the hard state, the identity of each entry (index,
 *             term, checksum, length), then the entry records, byte for byte as they travel. Its checksum covers where
 *             it is, the checksum of the batch before, the commit mark and the entries' checksums; theirs cover the
 *             payloads
 *
 * A segment gets its name only when its header and first batch are durable. One write is in flight; a batch is written
 * only when all before it is durable, which is what its commit mark says. Where it goes is segment-writer.ts's affair.
 *
 *   a crash leaves                        recovery (log-recovery.ts)
 *   part of the newest batch              a torn tail: nobody was told, the batch is dropped as a whole, with a word
 *   a segment without its name            removed; where it was a spare, one still
 *   bytes of a recycled file's older life no batches: their checksums name another segment
 *   anything else that is not sound       corruption: refused, with file, offset, index and term
 *
 * No room on the disk fails nothing: the batch waits and is tried again. A failed sync is final.
 *
 * Opening begins a fresh segment, which repeats the last batch and links to what is before that: what a failed sync may
 * have left in the kernel's cache only is written anew, and nothing that was read is changed. An entry whose index is not
 * above the last replaces the log from there on. A snapshot from elsewhere resets the log, in the first batch of a new
 * segment: that batch is what decides.
 *
 * While the log is idle nothing vouches for its last batch; so after a while an empty batch, a mark, does, and its witness
 * in another sector.
 */
import type { HardState } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { Timer } from "../platform/index.js";
import { storageFailure } from "./corruption.js";
import type { LogPlace } from "./entry-index.js";
import { IDLE_MARK_MS, SYNC_OUTWEIGHS } from "./limits.js";
import type { RecoveredLog } from "./log-recovery.js";
import { type LogEnd, type LogWrite, PendingBatch, type QueuedWrite, type WriteDone } from "./pending-batch.js";
import { diskFull, SegmentWriter, type SegmentWriterOptions, type WriteOutcome } from "./segment-writer.js";

export interface WriteAheadLogOptions extends SegmentWriterOptions {
  /**
   * Called for each write in order, when it is durable and before its `done`.
   * @param place of its first entry's record; the others follow it
   */
  readonly onDurable: (write: LogWrite, place: LogPlace) => void;
}

/** Group commit: whatever arrives while a sync runs goes, as one batch, into the next one. */
export class WriteAheadLog {
  readonly #options: WriteAheadLogOptions;
  readonly #writer: SegmentWriter;

  /** The end of the log and the hard state with all writes that have been encoded, durable or not. */
  #end: LogEnd;
  #hardState: HardState;
  /** What the last batch to be written said. */
  #writtenHardState: HardState;

  /** What gathers, and what is being written: they change places. */
  #pending: PendingBatch;
  #spare: PendingBatch;
  #inFlight: PendingBatch | undefined;
  /** Nothing is in flight, and what gathers is sent off at the end of the turn. */
  #isGathering = false;
  #sentAtMs = 0;
  /** What the last batch took until it was durable, and then to be told of. */
  #syncMs = 0;
  #tellMs = 0;
  /** Writes for which there is no room in `pending`. */
  #waiting: QueuedWrite[] = [];
  /** Whoever is being told, in order: a write that comes meanwhile and needs no sync is told behind them. */
  #telling: QueuedWrite[] | undefined;

  /** Nothing vouches for the last batch yet, and it is neither a segment's first nor a mark. */
  #unvouched = false;
  #markTimer: Timer | undefined;
  /** Batches written since the timer was set. */
  #batchesSinceTimer = 0;

  /** Why nothing is taken any more. */
  #refusal: BalsaError | undefined;
  #failed = false;
  #onFailure: ((error: BalsaError) => void) | undefined;
  #onIdle: (() => void) | undefined;

  private constructor(options: WriteAheadLogOptions, recovered: RecoveredLog, writer: SegmentWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#end = endOf(recovered);
    this.#hardState = recovered.hardState;
    this.#writtenHardState = recovered.hardState;
    this.#pending = new PendingBatch(options.identity);
    this.#spare = new PendingBatch(options.identity);
  }

  /** What was recovered is durable then, whatever it was before. @throws FileError */
  static async open(options: WriteAheadLogOptions, recovered: RecoveredLog): Promise<WriteAheadLog> {
    return new WriteAheadLog(options, recovered, await SegmentWriter.open(options, recovered));
  }

  /** The disk is full: what is appended may have to wait for room. New work had better be refused. */
  get isFull(): boolean {
    return this.#writer.isFull;
  }

  watchRoom(changed: (isFull: boolean) => void): void {
    this.#writer.watchRoom(changed);
  }

  /** What fails may be a mark, which nobody waits for: so a failure is told here too, after all `done`. */
  watchFailure(failed: (error: BalsaError) => void): void {
    this.#onFailure = failed;
  }

  append(write: LogWrite, done: WriteDone): void {
    const queued: QueuedWrite = { write, done, position: 0 };
    if (this.#refusal !== undefined) {
      const refusal = this.#refusal;
      this.#options.platform.clock.nextTurn(() => done(refusal));
    } else if (this.#waiting.length > 0 || !this.#take(queued)) {
      this.#waiting.push(queued);
    } else if (this.#inFlight === undefined && !this.#isGathering && !this.#pending.isEmpty) {
      this.#flush();
    }
  }

  /** Removes the segments that hold nothing above `index`, which a durable snapshot must cover. */
  release(index: number): void {
    this.#writer.release(index);
  }

  /** Takes no more, finishes what was given (but waits for no room on a full disk), vouches for the last batch, and closes the file. */
  async close(): Promise<void> {
    this.#refusal ??= new BalsaError("closed", "the storage is closed");
    this.#markTimer?.cancel();
    this.#markTimer = undefined;
    this.#writer.stopWaiting();
    await this.#idle();
    const commitIsAhead = this.#hardState.commit !== this.#writtenHardState.commit;
    if (!this.#failed && (this.#unvouched || commitIsAhead)) {
      this.#writeMark();
      await this.#idle();
    }
    await this.#writer.close();
  }

  // What comes in.

  /** Puts a write where it belongs; false if it has to wait for the next batch. */
  #take(queued: QueuedWrite): boolean {
    const { write } = queued;
    if (!this.#needsSync(write)) {
      if (write.hardState !== undefined) this.#hardState = write.hardState;
      if (!this.#pending.isEmpty) this.#pending.attach(queued);
      else if (this.#inFlight !== undefined) this.#inFlight.attach(queued);
      else if (this.#telling !== undefined) this.#telling.push(queued);
      else this.#tellAtOnce(queued);
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

  #tellAtOnce({ write, done }: QueuedWrite): void {
    this.#options.onDurable(write, NOWHERE);
    done(undefined);
  }

  // What is written.

  #flush(): void {
    const batch = this.#pending;
    this.#pending = this.#spare;
    this.#spare = batch;
    this.#inFlight = batch;
    this.#sentAtMs = this.#options.platform.clock.now();
    this.#writtenHardState = this.#hardState;
    this.#writer.write(batch, this.#hardState, (outcome) => this.#written(batch, outcome));
  }

  #written(batch: PendingBatch, outcome: WriteOutcome): void {
    if (this.#failed) return;
    switch (outcome.kind) {
      case "durable":
        this.#unvouched = !outcome.beginsSegment && !batch.isMark;
        this.#batchesSinceTimer++;
        this.#tell(batch);
        return;
      case "given-up":
        // A mark that finds no room is done without: the next batch vouches as well.
        if (batch.isMark) this.#tell(batch);
        else this.#fail(diskFull(outcome.cause));
        return;
      case "failed":
        this.#fail(outcome.cause);
        return;
      default:
        outcome satisfies never;
    }
  }

  /**
   * The batch is durable: everybody is told, and the next one is sent off. First, where telling takes long: then the disk
   * is at work meanwhile. Where the sync takes long, at the end of the turn: those who are told come back with more, and
   * one sync serves all instead of every other half (`bench -- wal`, 64 callers).
   */
  #tell(batch: PendingBatch): void {
    const { clock } = this.#options.platform;
    const { segment, bodyPosition } = batch;
    const writes = batch.take();
    const startMs = clock.now();
    this.#inFlight = undefined;
    this.#syncMs = startMs - this.#sentAtMs;
    const isShared = writes.length > 1 || !this.#pending.isEmpty;
    if (isShared && this.#syncMs > SYNC_OUTWEIGHS * this.#tellMs) this.#gather();
    else if (!this.#pending.isEmpty) this.#flush();
    this.#telling = writes;
    this.#refill();
    try {
      for (const { write, done, position } of writes) {
        this.#options.onDurable(write, { segment, position: bodyPosition + position });
        done(undefined);
      }
    } finally {
      // Nobody would be told of what is added to a list that is done with.
      this.#telling = undefined;
    }
    this.#tellMs = clock.now() - startMs;
    this.#rest();
  }

  #gather(): void {
    this.#isGathering = true;
    this.#options.platform.clock.nextTurn(() => {
      this.#isGathering = false;
      if (this.#failed) return;
      if (!this.#pending.isEmpty) this.#flush();
      this.#refill();
      this.#rest();
    });
  }

  /** Where nothing is under way any more. */
  #rest(): void {
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

  /**
   * For good: what the file holds now is unknown, and a second sync might lie about the first.
   * @param culprit a write that may not be in any queue yet
   */
  #fail(cause: unknown, culprit?: QueuedWrite): void {
    if (this.#failed) return;
    const { clock, logger } = this.#options.platform;
    const failure = storageFailure("writing the log", cause);
    const error = failure instanceof BalsaError ? failure : new BalsaError("invariant", "writing the log", { cause });
    if (error.code === "disk-full") logger.log("warn", "closed on a full disk: what waited may be lost", { cause });
    else logger.log("error", "the log failed; this member stops", { cause });
    this.#refusal = error;
    this.#failed = true;
    this.#writer.stopWaiting();
    this.#markTimer?.cancel();
    const writes = [...(this.#inFlight?.take() ?? []), ...this.#pending.take(), ...this.#waiting];
    if (culprit !== undefined && !writes.includes(culprit)) writes.push(culprit);
    this.#inFlight = undefined;
    this.#waiting = [];
    clock.nextTurn(() => {
      for (const { done } of writes) done(error);
      this.#onFailure?.(error);
    });
    this.#onIdle?.();
  }

  // What is done when there is nothing to do.

  get #isBusy(): boolean {
    return this.#inFlight !== undefined || this.#isGathering;
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
    this.#pending.beginMark(this.#end);
    this.#flush();
  }
}

/** Of a write that brings no entries. */
const NOWHERE: LogPlace = { segment: 0, position: 0 };

function endOf({ index }: RecoveredLog): LogEnd {
  return { index: index.lastIndex, term: index.term(index.lastIndex) };
}
