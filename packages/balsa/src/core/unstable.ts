import type { Entry } from "./entry.js";
import { invariant } from "./invariant.js";
import type { UnstableState } from "./node-state.js";
import type { Snapshot } from "./snapshot.js";

const NOTHING: readonly never[] = [];

/**
 * The log's unstable tail: entries, and an incoming snapshot, that stable storage has yet to acknowledge (A3).
 *
 * ```
 *   stable storage … ─┬─ in progress ─┬─ not handed out yet ─┐
 *                  offset      offsetInProgress       offset + length
 * ```
 *
 * `offset` may lie below stable storage's last index: the next write then truncates the storage's log. What was handed
 * to storage is not handed out twice; when it is overwritten before it is acknowledged, the mark is pulled back.
 */
export class Unstable {
  /** A snapshot on its way into stable storage; entries, if any, follow it. */
  snapshot: Snapshot | undefined = undefined;
  snapshotInProgress = false;
  /** Index of the first entry here. */
  offset: number;
  /** Entries below were handed to storage. offset ≤ offsetInProgress ≤ offset + length. */
  offsetInProgress: number;
  /**
   * The entries, behind `dead` places of entries that are stable by now. Acknowledging thus costs nothing per entry;
   * the array is cut when less than half of it is in use. Only ever copied from, so a slice handed out stays as it is.
   */
  private entries: Entry[] = [];
  private dead = 0;

  constructor(offset: number) {
    this.offset = offset;
    this.offsetInProgress = offset;
  }

  get length(): number {
    return this.entries.length - this.dead;
  }

  /** Index of the first entry of the whole log, where it is known here; else 0. */
  firstIndex(): number {
    return this.snapshot === undefined ? 0 : this.snapshot.meta.index + 1;
  }

  /** Index of the last entry of the whole log, where it is known here; else 0. */
  lastIndex(): number {
    if (this.length > 0) return this.offset + this.length - 1;
    return this.snapshot === undefined ? 0 : this.snapshot.meta.index;
  }

  /** Term of the entry at `index`, where it is known here; else 0. */
  term(index: number): number {
    if (index >= this.offset) return this.entries[this.dead + index - this.offset]?.term ?? 0;
    return this.snapshot !== undefined && this.snapshot.meta.index === index ? this.snapshot.meta.term : 0;
  }

  hasNextEntries(): boolean {
    return this.offsetInProgress < this.offset + this.length;
  }

  /** Entries that storage was not handed yet. */
  nextEntries(): readonly Entry[] {
    return this.hasNextEntries() ? this.slice(this.offsetInProgress, this.offset + this.length) : NOTHING;
  }

  nextSnapshot(): Snapshot | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** All that is here has been handed to storage. */
  acceptInProgress(): void {
    if (this.length > 0) this.offsetInProgress = this.offset + this.length;
    if (this.snapshot !== undefined) this.snapshotInProgress = true;
  }

  /**
   * Storage has everything up to the entry at `index`, if that entry is still the one of `term`: another one came in
   * its place while it was written otherwise, and that one's write is yet to be acknowledged (C9).
   */
  stableTo(index: number, term: number): void {
    if (index < this.offset || index >= this.offset + this.length) return;
    if (this.term(index) !== term) return;
    this.dead += index + 1 - this.offset;
    this.offset = index + 1;
    this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
    if (this.length * 2 < this.entries.length) {
      this.entries = this.entries.slice(this.dead);
      this.dead = 0;
    }
  }

  /** Storage has the snapshot at `index`. */
  stableSnapshotTo(index: number): void {
    if (this.snapshot === undefined || this.snapshot.meta.index !== index) return;
    this.snapshot = undefined;
    this.snapshotInProgress = false;
  }

  /** The whole log gives way to a snapshot. */
  restore(snapshot: Snapshot): void {
    this.replaceEntries(snapshot.meta.index + 1, []);
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** The log goes on with `entries`; whatever was at their places or behind them gives way. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = (entries[0] as Entry).index;
    const end = this.offset + this.length;
    invariant(from <= end, "the unstable log takes no entries behind a gap");
    if (from <= this.offset) {
      this.replaceEntries(from, entries.slice());
      return;
    }
    if (from < end) {
      this.entries = this.slice(this.offset, from);
      this.dead = 0;
      this.offsetInProgress = Math.min(this.offsetInProgress, from);
    }
    for (const entry of entries) this.entries.push(entry);
  }

  /** Entries of [lo, hi), all of which must be here. */
  slice(lo: number, hi: number): Entry[] {
    invariant(lo >= this.offset && lo <= hi && hi <= this.offset + this.length, "a slice lies within the unstable log");
    return this.entries.slice(this.dead + lo - this.offset, this.dead + hi - this.offset);
  }

  /** For copies of the whole state. */
  save(): UnstableState {
    const { snapshot, snapshotInProgress, offset, offsetInProgress } = this;
    return {
      snapshot,
      snapshotInProgress,
      offset,
      offsetInProgress,
      entries: this.slice(offset, offset + this.length),
    };
  }

  restoreSaved(saved: UnstableState): void {
    this.replaceEntries(saved.offset, saved.entries.slice());
    this.offsetInProgress = saved.offsetInProgress;
    this.snapshot = saved.snapshot;
    this.snapshotInProgress = saved.snapshotInProgress;
  }

  private replaceEntries(offset: number, entries: Entry[]): void {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.entries = entries;
    this.dead = 0;
  }
}
