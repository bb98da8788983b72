import type { Entry } from "./entry.js";
import { limitBytes, totalEntryBytes } from "./entry-size.js";
import { invariant } from "./invariant.js";
import type { Snapshot } from "./snapshot.js";
import type { Storage } from "./storage.js";
import { StorageError } from "./storage.js";
import { Unstable } from "./unstable.js";

const NOTHING: readonly never[] = [];

/** In place of entries: storage has them, and not in memory. Whoever wants them waits until they are fetched. */
export const NOT_IN_MEMORY = "not-in-memory";
type NotInMemory = typeof NOT_IN_MEMORY;

/** Entries of [from, to) of stable storage. */
export interface EntryRange {
  readonly from: number;
  readonly to: number;
}

/** In place of a term: the entry is compacted away, or past the log's end. */
export const UNKNOWN_TERM: number = -1;

/** A position in the log, and the term there; 0 where it is not known. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

/**
 * The log as the protocol sees it: stable storage and the unstable tail in one (A4), and how far it is committed and
 * applied. applied ≤ applying ≤ committed ≤ lastIndex.
 */
export class RaftLog {
  readonly storage: Storage;
  readonly unstable: Unstable;
  /** Bytes of committed entries that may be handed out and not applied yet. */
  readonly maxApplyingBytes: number;
  /** Highest index known to be on a quorum (Raft Figure 2: `commitIndex`). Grows only, in one life of the node. */
  committed: number;
  /** Highest index handed out for applying. */
  applying: number;
  /** Highest index applied (Raft Figure 2: `lastApplied`). Grows only. */
  applied: number;
  /** Bytes of entries handed out and not applied yet. */
  applyingBytes = 0;
  /** No more is handed out until some of it is applied (A5). */
  applyingPaused = false;
  /** The entry behind `applying` is being fetched into memory: nothing is handed out until it is there. */
  applyingAwaitsEntries = false;

  constructor(storage: Storage, maxApplyingBytes: number) {
    this.storage = storage;
    this.maxApplyingBytes = maxApplyingBytes;
    this.unstable = new Unstable(storage.lastIndex() + 1);
    // What is compacted away was committed and applied.
    this.committed = this.applying = this.applied = storage.firstIndex() - 1;
  }

  // ---- what is in it

  firstIndex(): number {
    return this.unstable.firstIndex() || this.storage.firstIndex();
  }

  lastIndex(): number {
    return this.unstable.lastIndex() || this.storage.lastIndex();
  }

  lastTerm(): number {
    const term = this.term(this.lastIndex());
    invariant(term !== UNKNOWN_TERM, "the last entry's term is known");
    return term;
  }

  /** Term of the entry at `index`, known from firstIndex − 1 on; UNKNOWN_TERM elsewhere. */
  term(index: number): number {
    // The unstable tail first: that spares asking storage for what the leader needs most often.
    const unstableTerm = this.unstable.term(index);
    if (unstableTerm !== 0) return unstableTerm;
    if (index + 1 < this.firstIndex() || index > this.lastIndex()) return UNKNOWN_TERM;
    return this.storage.term(index);
  }

  /** Log matching (Raft §5.3): an entry of the same index and term is the same, and so is all before it. */
  matchTerm(index: number, term: number): boolean {
    return this.term(index) === term;
  }

  /** Raft §5.4.1: of two logs the one with the later last term is more up to date, then the longer one. */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    const ourTerm = this.lastTerm();
    return lastTerm > ourTerm || (lastTerm === ourTerm && lastIndex >= this.lastIndex());
  }

  /** Entries from `lo` to the end, as `slice` gives them. */
  entriesFrom(lo: number, maxBytes: number): readonly Entry[] | NotInMemory | undefined {
    return this.slice(lo, this.lastIndex() + 1, maxBytes);
  }

  /**
   * Entries of [lo, hi), at least one if there are any: as many as fit into `maxBytes`, or fewer where the rest is not in
   * memory. undefined when they are compacted away.
   */
  slice(lo: number, hi: number, maxBytes: number): readonly Entry[] | NotInMemory | undefined {
    invariant(lo <= hi && hi <= this.lastIndex() + 1, "a slice lies within the log");
    if (lo < this.firstIndex()) return undefined;
    if (lo === hi) return NOTHING;
    const { offset } = this.unstable;
    if (lo >= offset) return limitBytes(this.unstable.slice(lo, hi), maxBytes);

    const cut = Math.min(hi, offset);
    const stable = this.stableEntries(lo, cut, maxBytes);
    if (stable === NOT_IN_MEMORY) return NOT_IN_MEMORY;
    if (hi <= offset || stable.length < cut - lo) return stable;
    if (maxBytes === Number.POSITIVE_INFINITY) return stable.concat(this.unstable.slice(offset, hi));

    const bytes = totalEntryBytes(stable);
    if (bytes >= maxBytes) return stable;
    const tail = limitBytes(this.unstable.slice(offset, hi), maxBytes - bytes);
    // A single entry may be over the limit, but not as the second one.
    if (tail.length === 1 && bytes + totalEntryBytes(tail) > maxBytes) return stable;
    return stable.concat(tail);
  }

  private stableEntries(lo: number, hi: number, maxBytes: number): readonly Entry[] | NotInMemory {
    try {
      return this.storage.entries(lo, hi, maxBytes);
    } catch (error) {
      if (error instanceof StorageError && error.code === "entries-temporarily-unavailable") return NOT_IN_MEMORY;
      throw error;
    }
  }

  // ---- growing it

  /** Appends as leader, or what a leader sent once it is known to fit: whatever is at these places gives way. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    invariant(first.index > this.committed, "a committed entry never gives way");
    this.unstable.truncateAndAppend(entries);
  }

  /**
   * Appends what a leader sent, if the log matches where it goes (Raft §5.3).
   * @returns the index up to which the logs now agree; undefined where they don't
   */
  maybeAppend(
    prevIndex: number,
    prevTerm: number,
    entries: readonly Entry[],
    leaderCommit: number,
  ): number | undefined {
    if (!this.matchTerm(prevIndex, prevTerm)) return undefined;
    const agreedIndex = prevIndex + entries.length;
    // Entries that are there already stay: a late message must not cut off what a later one brought.
    const conflict = this.findConflict(entries);
    if (conflict !== undefined) {
      invariant(conflict > this.committed, "a conflict lies above the commit index");
      this.append(conflict === prevIndex + 1 ? entries : entries.slice(conflict - prevIndex - 1));
    }
    // Up to what this message has shown to agree, no further: behind it may be another leader's leftovers.
    this.commitTo(Math.min(leaderCommit, agreedIndex));
    return agreedIndex;
  }

  /** Index of the first of `entries` that the log has not, or has otherwise; undefined when it has them all. */
  findConflict(entries: readonly Entry[]): number | undefined {
    for (const entry of entries) if (!this.matchTerm(entry.index, entry.term)) return entry.index;
    return undefined;
  }

  /**
   * The largest index, from `index` down, whose entry has at most `term`: above it the log cannot agree with one whose
   * entry at `index` is of `term`, since terms never fall along a log. With it whole terms are skipped (B5).
   */
  findConflictByTerm(index: number, term: number): LogPosition {
    for (let i = index; i > 0; i--) {
      const ourTerm = this.term(i);
      if (ourTerm === UNKNOWN_TERM) return { index: i, term: 0 };
      if (ourTerm <= term) return { index: i, term: ourTerm };
    }
    return { index: 0, term: 0 };
  }

  /** A snapshot takes the place of the whole log. */
  restore(snapshot: Snapshot): void {
    this.committed = snapshot.meta.index;
    this.applyingAwaitsEntries = false;
    this.unstable.restore(snapshot);
  }

  // ---- committing

  commitTo(index: number): void {
    if (index <= this.committed) return;
    invariant(index <= this.lastIndex(), "nothing past the log's end is committed");
    this.committed = index;
  }

  /** Commits up to `index` if its entry is of `term`. */
  maybeCommit(index: number, term: number): boolean {
    if (index <= this.committed || !this.matchTerm(index, term)) return false;
    this.commitTo(index);
    return true;
  }

  // ---- applying

  /** Whether there is something to apply; see nextCommittedEntries. */
  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    return (
      !this.applyingPaused &&
      !this.applyingAwaitsEntries &&
      this.unstable.snapshot === undefined &&
      this.applying < this.appliable(allowUnstable)
    );
  }

  /**
   * Committed entries to apply next, within the limit on bytes. None while a snapshot is on its way: it comes first;
   * none while they are not in memory: then it is noted that applying waits for them.
   * @param allowUnstable also entries that are committed and not in this node's own stable storage yet
   */
  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) return NOTHING;
    const maxBytes = this.maxApplyingBytes - this.applyingBytes;
    const entries = this.slice(this.applying + 1, this.appliable(allowUnstable) + 1, maxBytes);
    invariant(entries !== undefined, "an entry is compacted only after it was applied");
    if (entries !== NOT_IN_MEMORY) return entries;
    this.applyingAwaitsEntries = true;
    return NOTHING;
  }

  /** Entries up to `index` were handed out for applying. */
  acceptApplying(index: number, bytes: number, allowUnstable: boolean): void {
    invariant(index <= this.committed, "only committed entries are applied");
    this.applying = index;
    this.applyingBytes += bytes;
    // A batch that could not hold all there was is full, even where a smaller entry would fit in.
    this.applyingPaused = this.applyingBytes >= this.maxApplyingBytes || index < this.appliable(allowUnstable);
  }

  /** Everything up to `index` is applied; `bytes` of it had been handed out. */
  appliedTo(index: number, bytes: number): void {
    invariant(index >= this.applied && index <= this.committed, "applied grows, up to the commit index");
    this.applied = index;
    if (index > this.applying) {
      this.applying = index;
      this.applyingAwaitsEntries = false;
    }
    this.applyingBytes = Math.max(0, this.applyingBytes - bytes);
    this.applyingPaused = this.applyingBytes >= this.maxApplyingBytes;
  }

  /** Highest index that may be handed out. */
  private appliable(allowUnstable: boolean): number {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  // ---- storage's answers

  stableTo(index: number, term: number): void {
    this.unstable.stableTo(index, term);
  }

  /** @throws whatever storage throws, except that there is no snapshot yet: undefined */
  snapshot(): Snapshot | undefined {
    if (this.unstable.snapshot !== undefined) return this.unstable.snapshot;
    try {
      return this.storage.snapshot();
    } catch (error) {
      if (error instanceof StorageError && error.code === "snapshot-temporarily-unavailable") return undefined;
      throw error;
    }
  }
}
