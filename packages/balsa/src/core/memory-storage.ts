import type { ConfState } from "./conf-state.js";
import type { Entry } from "./entry.js";
import { limitBytes } from "./entry-size.js";
import type { HardState } from "./hard-state.js";
import { EMPTY_HARD_STATE } from "./hard-state.js";
import { invariant } from "./invariant.js";
import type { Snapshot } from "./snapshot.js";
import { EMPTY_SNAPSHOT } from "./snapshot.js";
import type { Storage } from "./storage.js";
import { StorageError } from "./storage.js";

/** An index of the entry that stands for the compacted part, and its term. */
function boundary(index: number, term: number): Entry {
  return { type: "normal", term, index, data: EMPTY_SNAPSHOT.data, checksum: 0 };
}

const ORIGIN: Entry = boundary(0, 0);

/** Stable storage in memory: for tests, and as the cache in front of a log on disk (A2). */
export class MemoryStorage implements Storage {
  private hardState: HardState = EMPTY_HARD_STATE;
  private latestSnapshot: Snapshot = EMPTY_SNAPSHOT;
  /** log[0] is no entry: it keeps the index and term that the log is compacted up to. log[i] is at log[0].index + i. */
  private log: Entry[] = [ORIGIN];

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.hardState, confState: this.latestSnapshot.meta.confState };
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] {
    const start = this.start();
    if (lo <= start) throw new StorageError("compacted");
    if (hi > start + this.log.length) throw new StorageError("unavailable");
    return limitBytes(this.log.slice(lo - start, hi - start), maxBytes);
  }

  term(i: number): number {
    const place = i - this.start();
    if (place < 0) throw new StorageError("compacted");
    const entry = this.log[place];
    if (entry === undefined) throw new StorageError("unavailable");
    return entry.term;
  }

  firstIndex(): number {
    return this.start() + 1;
  }

  lastIndex(): number {
    return this.start() + this.log.length - 1;
  }

  snapshot(): Snapshot {
    return this.latestSnapshot;
  }

  setHardState(hardState: HardState): void {
    this.hardState = hardState;
  }

  /**
   * Appends entries, which may overlap what is there: from their first index on they replace it. What lies within the
   * compacted part is passed over.
   */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    const last = entries[entries.length - 1];
    if (first === undefined || last === undefined || last.index < this.firstIndex()) return;
    const start = this.start();
    const end = start + this.log.length;
    invariant(first.index <= end, "an append leaves no gap behind the log's last entry");
    const skipped = Math.max(0, start + 1 - first.index);
    const from = first.index + skipped;
    // A new array, not a shorter one: readers may hold none of it, but growing in place is for the common case only.
    if (from < end) this.log = this.log.slice(0, from - start);
    for (let i = skipped; i < entries.length; i++) this.log.push(entries[i] as Entry);
  }

  /**
   * A snapshot from elsewhere replaces the log.
   * @throws StorageError snapshot-out-of-date
   */
  applySnapshot(snapshot: Snapshot): void {
    if (snapshot.meta.index <= this.latestSnapshot.meta.index) throw new StorageError("snapshot-out-of-date");
    this.latestSnapshot = snapshot;
    this.log = [boundary(snapshot.meta.index, snapshot.meta.term)];
  }

  /**
   * A snapshot of the applied state at `index` becomes the newest; the log behind it stays until it is compacted.
   * @throws StorageError snapshot-out-of-date, unavailable (nothing is known of `index`)
   */
  createSnapshot(index: number, confState: ConfState, data: Uint8Array): Snapshot {
    if (index <= this.latestSnapshot.meta.index) throw new StorageError("snapshot-out-of-date");
    this.latestSnapshot = { meta: { index, term: this.term(index), confState }, data };
    return this.latestSnapshot;
  }

  /**
   * Drops the entries up to and including `index`; its term is kept, for matching.
   * @throws StorageError compacted (they are gone already), unavailable (the log does not reach that far)
   */
  compact(index: number): void {
    if (index <= this.start()) throw new StorageError("compacted");
    if (index > this.lastIndex()) throw new StorageError("unavailable");
    const term = this.term(index);
    this.log = this.log.slice(index - this.start());
    this.log[0] = boundary(index, term);
  }

  /** An independent copy; entries and snapshots never change and are shared. */
  copy(): MemoryStorage {
    const copy = new MemoryStorage();
    copy.hardState = this.hardState;
    copy.latestSnapshot = this.latestSnapshot;
    copy.log = this.log.slice();
    return copy;
  }

  private start(): number {
    return (this.log[0] as Entry).index;
  }
}
