/**
 * A log of which part is lost (docs/repair.md). What is left is vouched for by three things: each sound batch's tables,
 * which name index, term, checksum and length of every entry even where its payload is damaged; the position that each
 * batch says it follows; and log matching (Raft §5.3): two logs with an entry of the same index and term are the same up
 * to there. So a lost range below a position that is known, its *anchor*, has one possible content, and any member whose
 * log holds the anchor knows it.
 */
import type { Entry, HardState } from "../core/index.js";
import { invariant } from "../core/index.js";
import type { EntryIdentity } from "./batch.js";
import type { LogEnd } from "./pending-batch.js";

/** An entry that the log had and whose payload is not there. `identity` undefined: which one it was is not known. */
interface LostEntry {
  readonly kind: "lost";
  readonly index: number;
  /** 0 = not known. */
  readonly term: number;
  readonly identity: EntryIdentity | undefined;
}

type Slot = Entry | LostEntry;

/** Entries that are lost, the first and last of them included. */
export interface LostRange {
  readonly first: number;
  readonly last: number;
  /** The position before, which is known. */
  readonly after: LogEnd;
  /** The first position at or behind `last` whose term is known: a log that holds it, holds what was lost. */
  readonly anchor: LogEnd;
  /** The first such position from `first` on: a log that holds this one, holds a part of it. */
  readonly near: LogEnd;
}

/** A gap that is wider than this is not kept entry by entry: the log is taken to begin behind it. */
const GAP_ENTRIES_MAX: number = 4 * 1024 * 1024;

export class SalvagedLog {
  /** As the last sound batch has it. */
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  /** False: later batches, with a later hard state and more entries, may have been lost. */
  endKnown = true;
  /** Highest index that any sound batch knew to be committed. */
  #commit = 0;
  #beginning: LogEnd;
  #slots: Slot[] = [];
  /** What the log should begin behind: the snapshot's. Where that is before the beginning, what is between is lost. */
  #base: LogEnd = { index: 0, term: 0 };
  /** What has come of it already, from the base on. */
  #prefix: Entry[] = [];

  /** @param beginning the position before the first entry; of term 0 = not known */
  constructor(beginning: LogEnd) {
    this.#beginning = beginning;
  }

  /** The position before the first entry. */
  get beginning(): LogEnd {
    return this.#beginning;
  }

  get lastIndex(): number {
    return this.#beginning.index + this.#slots.length;
  }

  get commit(): number {
    return this.#commit;
  }

  /** Of the entry at `index`, if it is known, whether its payload is or not; 0 = not known. */
  termAt(index: number): number {
    if (index === this.#beginning.index) return this.#beginning.term;
    return this.#slots[index - this.#beginning.index - 1]?.term ?? 0;
  }

  /** The entry at `index`, if it is there whole. */
  entryAt(index: number): Entry | undefined {
    const slot = this.#slots[index - this.#beginning.index - 1];
    return slot !== undefined && isWhole(slot) ? slot : undefined;
  }

  /** What is lost, in order. */
  lost(): readonly LostRange[] {
    const ranges: LostRange[] = [];
    if (this.#beginning.index > this.#base.index) {
      const after = this.#prefix.at(-1) ?? this.#base;
      ranges.push({
        first: after.index + 1,
        last: this.#beginning.index,
        after,
        anchor: this.#beginning,
        near: this.#beginning,
      });
    }
    for (let i = 0; i < this.#slots.length; i++) {
      if (isWhole(this.#slots[i] as Slot)) continue;
      const first = this.#indexOf(i);
      while (i + 1 < this.#slots.length && !isWhole(this.#slots[i + 1] as Slot)) i++;
      const after = { index: first - 1, term: this.termAt(first - 1) };
      const near = this.#anchorFrom(first - this.#beginning.index - 1);
      ranges.push({ first, last: this.#indexOf(i), after, anchor: this.#anchorFrom(i), near });
    }
    return ranges;
  }

  /** Nothing is lost, and the end is known. */
  get isWhole(): boolean {
    return this.endKnown && this.#beginning.index <= this.#base.index && this.#slots.every(isWhole);
  }

  /**
   * Up to where a log that has all that is committed surely agrees with this one: whoever takes over such a log begins
   * there.
   */
  settled(): LogEnd {
    if (this.#beginning.index > this.#base.index) return this.#base;
    let index = this.#base.index;
    const end = Math.min(this.#commit, this.lastIndex);
    while (index < end && this.entryAt(index + 1) !== undefined) index++;
    return { index, term: this.termAt(index) };
  }

  /** All entries, which are there whole. */
  entries(): readonly Entry[] {
    return this.#slots.map((slot) => {
      invariant(isWhole(slot), "a salvaged log is whole when it is read as one");
      return slot;
    });
  }

  // What is read from the files, in the log's order.

  /** A sound batch comes next, lost ones before it or not; it follows that position, or, with `reset`, replaces all. */
  follow(state: HardState, previous: LogEnd, reset: boolean): void {
    if (reset) {
      this.#beginning = previous;
      this.#slots = [];
    } else if (previous.index !== this.lastIndex || previous.term !== this.termAt(this.lastIndex)) {
      this.#bridgeTo(previous);
    }
    this.hardState = state;
    this.#commit = Math.max(this.#commit, state.commit);
  }

  /** An entry of the batch: whole, or but its identity. */
  take(identity: EntryIdentity, entry: Entry | undefined): void {
    const { index, term } = identity;
    if (index <= this.#beginning.index) {
      // As in log-replay.ts: what is replaced was before what is read.
      this.#beginning = { index: index - 1, term: 0 };
      this.#slots = [];
    } else {
      this.#slots.length = Math.min(this.#slots.length, index - this.#beginning.index - 1);
    }
    this.#pad(index - 1);
    this.#slots.push(entry ?? { kind: "lost", index, term, identity });
  }

  /**
   * The log goes on behind `previous`, and what was between is lost. If the log holds that very position, all before
   * it is as it was (log matching). Otherwise the lost batches may have replaced what was not known to be committed.
   */
  #bridgeTo(previous: LogEnd): void {
    const { index, term } = previous;
    if (term !== 0 && this.termAt(index) === term) {
      this.#slots.length = index - this.#beginning.index;
      return;
    }
    const kept = Math.min(Math.max(this.#commit, this.#beginning.index), this.lastIndex);
    if (this.#slots.length === 0 || index <= kept || index - kept > GAP_ENTRIES_MAX) {
      this.#beginning = previous;
      this.#slots = [];
      return;
    }
    this.#slots.length = kept - this.#beginning.index;
    this.#pad(index - 1);
    this.#slots.push({ kind: "lost", index, term, identity: undefined });
  }

  #pad(lastIndex: number): void {
    while (this.lastIndex < lastIndex) {
      this.#slots.push({ kind: "lost", index: this.lastIndex + 1, term: 0, identity: undefined });
    }
  }

  // What is done about it.

  /**
   * The log begins behind this snapshot, which is of a committed prefix. What surely conflicts with it was never
   * committed, and goes. Where it can't be told whether what follows does, the first of it counts as lost: only a log
   * that holds the snapshot's position and that one will do then.
   */
  beginBehind(snapshot: LogEnd): void {
    const { index, term } = snapshot;
    this.#prefix = this.#prefix.filter((entry) => entry.index > index);
    this.#base = { index, term };
    if (index < this.#beginning.index) return;
    const termHere = this.termAt(index);
    if (index > this.lastIndex || (termHere !== 0 && termHere !== term)) this.#slots = [];
    else this.#slots.splice(0, index - this.#beginning.index);
    this.#beginning = this.#base;
    this.#prefix = [];
    this.#commit = Math.max(this.#commit, index);
    if (termHere === 0 && this.#slots.length > 0) {
      const place = this.#slots.findIndex((slot) => slot.term !== 0);
      const first = this.#slots[place] as Slot;
      if (isWhole(first)) this.#slots[place] = lostEntryOf(first);
    }
  }

  /**
   * Entries of a log that holds `range`'s two ends: from its first on, one behind the other. Returns how many were
   * taken: the rest is not what was lost.
   */
  restore(range: LostRange, entries: readonly Entry[]): number {
    const isPrefix = range.last === this.#beginning.index;
    let taken = 0;
    for (const entry of entries) {
      const { index, term } = entry;
      if (index !== range.first + taken || index > range.last || term > range.anchor.term) break;
      if (index === range.anchor.index && term !== range.anchor.term) break;
      if (isPrefix) {
        this.#prefix.push(entry);
      } else {
        const place = index - this.#beginning.index - 1;
        const slot = this.#slots[place];
        if (slot === undefined || isWhole(slot) || !fits(slot, entry)) break;
        this.#slots[place] = entry;
      }
      taken++;
    }
    if (isPrefix && range.first + taken > range.last) {
      this.#slots = [...this.#prefix, ...this.#slots];
      this.#beginning = this.#base;
      this.#prefix = [];
    }
    return taken;
  }

  /** The entries that follow `settled()` in a leader's log take the place of what this one has there. */
  adopt(entries: readonly Entry[]): void {
    const { index } = this.settled();
    const kept = this.#beginning.index > this.#base.index ? [] : this.#slots.slice(0, index - this.#beginning.index);
    this.#slots = [...kept, ...entries];
    this.#beginning = this.#base;
    this.#prefix = [];
    this.endKnown = true;
  }

  /**
   * Nobody has what is lost: the log ends before it. Gives the last index that stays; what is behind was acknowledged,
   * perhaps.
   */
  giveUpLost(): number {
    const first = this.lost()[0]?.first ?? this.lastIndex + 1;
    this.#slots.length = Math.max(0, first - 1 - this.#beginning.index);
    if (this.#beginning.index > this.#base.index) {
      this.#slots = this.#prefix;
      this.#beginning = this.#base;
      this.#prefix = [];
    }
    this.endKnown = true;
    return this.lastIndex;
  }

  #indexOf(place: number): number {
    return this.#beginning.index + 1 + place;
  }

  #anchorFrom(place: number): LogEnd {
    const known = this.#slots.slice(place).find(({ term }) => term !== 0);
    invariant(known !== undefined, "the last entry of a salvaged log has a known term");
    return { index: known.index, term: known.term };
  }
}

function isWhole(slot: Slot): slot is Entry {
  return !("kind" in slot);
}

function lostEntryOf({ index, term, checksum, data }: Entry): LostEntry {
  return { kind: "lost", index, term, identity: { index, term, checksum, payloadBytes: data.length } };
}

function fits({ term, identity }: LostEntry, entry: Entry): boolean {
  if (term !== 0 && entry.term !== term) return false;
  return (
    identity === undefined || (entry.checksum === identity.checksum && entry.data.length === identity.payloadBytes)
  );
}
