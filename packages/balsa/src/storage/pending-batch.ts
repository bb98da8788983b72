import type { BalsaError, Entry, HardState, Snapshot } from "../core/index.js";
import type { BatchPlace } from "./batch.js";
import { BatchBuilder } from "./batch-builder.js";
import type { Identity } from "./identity.js";
import { BATCH_BYTES_TARGET } from "./limits.js";

/** One thing to make durable: what a `storage-append` of the core holds. */
export interface LogWrite {
  /** undefined = unchanged. */
  readonly hardState: HardState | undefined;
  /** Consecutive; they replace whatever the log holds from the first one's index on. */
  readonly entries: readonly Entry[];
  /** Replaces the whole log; entries, if any, follow it. Its file must be in its place. */
  readonly snapshot: Snapshot | undefined;
  /** Demands a sync; without it there is one where there are entries or a snapshot, or term or vote change. */
  readonly mustSync: boolean;
}

/**
 * Called once: the write is durable, or the log has failed for good. In a later turn; at once where the write needs no
 * sync and no other is under way.
 */
export type WriteDone = (error: BalsaError | undefined) => void;

export interface QueuedWrite {
  readonly write: LogWrite;
  readonly done: WriteDone;
  /** Where its entries' records begin, in bytes from where those of its batch do. */
  position: number;
}

/** The end of a log, as index and term. */
export interface LogEnd {
  readonly index: number;
  readonly term: number;
}

/** The writes that will share a sync, encoded as they come. */
export class PendingBatch {
  readonly #builder: BatchBuilder;
  #writes: QueuedWrite[] = [];
  /** End of the log before these writes, or the snapshot's that replaces it. */
  #previous: LogEnd = { index: 0, term: 0 };
  #reset = false;
  #isMark = false;
  #segment = 0;
  #bodyPosition = 0;

  constructor(identity: Identity) {
    this.#builder = new BatchBuilder(identity);
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0;
  }

  /** Brings nothing new: it vouches for what is before it, and can be done without. */
  get isMark(): boolean {
    return this.#isMark;
  }

  get isReset(): boolean {
    return this.#reset;
  }

  get previous(): LogEnd {
    return this.#previous;
  }

  get lengthBytes(): number {
    return this.#builder.lengthBytes;
  }

  /** As sealed last. */
  get checksum(): number {
    return this.#builder.checksum;
  }

  /** The segment for which it was sealed last, */
  get segment(): number {
    return this.#segment;
  }

  /** and where in it the entries' records begin. */
  get bodyPosition(): number {
    return this.#bodyPosition;
  }

  /** Whether the write may come into this batch: a snapshot begins one, and one that is large enough is closed. */
  admits(write: LogWrite): boolean {
    return this.isEmpty || (write.snapshot === undefined && this.#builder.bodyBytes < BATCH_BYTES_TARGET);
  }

  /** Nothing is added to it: it stands behind `previous`. */
  beginMark(previous: LogEnd): void {
    this.#isMark = true;
    this.#previous = previous;
  }

  /** @param previous end of the log so far */
  add(queued: QueuedWrite, previous: LogEnd): void {
    const { snapshot, entries } = queued.write;
    if (this.isEmpty) {
      this.#reset = snapshot !== undefined;
      this.#previous = snapshot === undefined ? previous : snapshot.meta;
    }
    queued.position = this.#builder.bodyBytes;
    this.#builder.add(entries);
    this.#writes.push(queued);
  }

  /** To be told together with the others, though it brings nothing to be written. */
  attach(queued: QueuedWrite): void {
    this.#writes.push(queued);
  }

  seal(hardState: HardState, place: BatchPlace): readonly Uint8Array[] {
    const { term, vote, commit } = hardState;
    const { index, term: previousTerm } = this.#previous;
    this.#segment = place.segment;
    this.#bodyPosition = place.offset + this.#builder.lengthBytes - this.#builder.bodyBytes;
    return this.#builder.seal({ term, vote, commit, previousIndex: index, previousTerm, reset: this.#reset }, place);
  }

  /** Empties it for the next batch, and gives those who wait for this one. */
  take(): QueuedWrite[] {
    const writes = this.#writes;
    this.#writes = [];
    this.#reset = false;
    this.#isMark = false;
    this.#builder.clear();
    return writes;
  }
}
