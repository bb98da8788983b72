import type { Entry, HardState } from "../core/index.js";
import { type Batch, readBatchEntries, type SegmentImage } from "./batch.js";
import type { Damage } from "./corruption.js";
import type { SnapshotName } from "./data-directory.js";

/**
 * The log as its batches, one after the other, make it: entries that replace others, and snapshots that replace all.
 * A pure function of the bytes.
 */
export class LogReplay {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  /** The log begins behind this index. */
  #baseIndex: number;
  #baseTerm: number;
  #entries: Entry[] = [];

  constructor(previousIndex: number, previousTerm: number) {
    this.#baseIndex = previousIndex;
    this.#baseTerm = previousTerm;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  /** Takes all of the batch, or, if there is anything wrong with it, nothing. */
  apply(image: SegmentImage, batch: Batch): Damage | undefined {
    const { state, offset } = batch;
    if (!state.reset && (state.previousIndex !== this.lastIndex || state.previousTerm !== this.#lastTerm)) {
      return this.#damage(image, offset, "a batch that does not follow the log before it");
    }
    const entries: Entry[] = [];
    const damage = readBatchEntries(image, batch, entries);
    if (damage !== undefined) return damage;
    let last = state.previousIndex;
    for (const entry of entries) {
      if (entry.index > last + 1) return this.#damage(image, offset, "a batch whose entries leave a gap");
      last = entry.index;
    }
    if (state.commit > last) return this.#damage(image, offset, "a commit index behind the end of the log");

    if (state.reset) {
      this.#baseIndex = state.previousIndex;
      this.#baseTerm = state.previousTerm;
      this.#entries = [];
    }
    for (const entry of entries) this.#take(entry);
    this.hardState = { term: state.term, vote: state.vote, commit: state.commit };
    return undefined;
  }

  /**
   * Whether the log says that this snapshot is of its own past: it holds the entry, or begins right behind it.
   * The empty snapshot, of index 0, is of every log's past that has not been cut.
   */
  vouchesFor(snapshot: SnapshotName): boolean {
    if (snapshot.index === this.#baseIndex) return snapshot.term === this.#baseTerm;
    return this.#entries[snapshot.index - this.#baseIndex - 1]?.term === snapshot.term;
  }

  entriesAfter(index: number): readonly Entry[] {
    return this.#entries.slice(Math.max(0, index - this.#baseIndex));
  }

  get #lastTerm(): number {
    const last = this.#entries.at(-1);
    return last === undefined ? this.#baseTerm : last.term;
  }

  #take(entry: Entry): void {
    if (entry.index <= this.#baseIndex) {
      // What is replaced here lies in a segment that is not read. All of it is behind the snapshot: a replay begins
      // with a segment whose previousIndex is. So nobody asks for the term at the new base, which is not known.
      this.#baseIndex = entry.index - 1;
      this.#baseTerm = 0;
      this.#entries = [];
    } else {
      this.#entries.length = entry.index - this.#baseIndex - 1;
    }
    this.#entries.push(entry);
  }

  #damage(image: SegmentImage, offset: number, reason: string): Damage {
    return { file: image.path, offset, index: this.lastIndex + 1, reason };
  }
}
