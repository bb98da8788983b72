import type { ConfState, Entry, HardState, Snapshot, Storage, StorageAppend } from "../core/index.js";
import { EMPTY_SNAPSHOT, entryBytes, invariant, StorageError } from "../core/index.js";
import type { Disk } from "./cell.js";

export const EMPTY_DISK: Disk = {
  hardState: { term: 0, vote: 0, commit: 0 },
  snapshot: EMPTY_SNAPSHOT,
  start: { index: 0, term: 0 },
  entries: [],
};

/** Stable storage that answers from whichever disk it is given: one for all the cells of a node. */
export class CellStorage implements Storage {
  disk: Disk = EMPTY_DISK;

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.disk.hardState, confState: this.disk.snapshot.meta.confState };
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] {
    const { start, entries } = this.disk;
    if (lo <= start.index) throw new StorageError("compacted");
    if (hi > this.lastIndex() + 1) throw new StorageError("unavailable");
    const found = entries.slice(lo - start.index - 1, hi - start.index - 1);
    let bytes = 0;
    const cut = found.findIndex((entry, i) => (bytes += entryBytes(entry)) > maxBytes && i > 0);
    return cut < 0 ? found : found.slice(0, cut);
  }

  term(i: number): number {
    const { start, entries } = this.disk;
    if (i < start.index) throw new StorageError("compacted");
    if (i === start.index) return start.term;
    const entry = entries[i - start.index - 1];
    if (entry === undefined) throw new StorageError("unavailable");
    return entry.term;
  }

  firstIndex(): number {
    return this.disk.start.index + 1;
  }

  lastIndex(): number {
    return this.disk.start.index + this.disk.entries.length;
  }

  snapshot(): Snapshot {
    return this.disk.snapshot;
  }
}

/** The disk with one write more on it. */
export function written(disk: Disk, { hardState, entries, snapshot }: StorageAppend): Disk {
  const base = snapshot === undefined ? disk : { ...disk, snapshot, start: positionOf(snapshot), entries: [] };
  return { ...base, hardState: hardState ?? base.hardState, entries: appended(base, entries) };
}

function appended({ start, entries }: Disk, more: readonly Entry[]): readonly Entry[] {
  const kept = more.filter(({ index }) => index > start.index);
  const first = kept[0];
  if (first === undefined) return entries;
  invariant(first.index <= start.index + entries.length + 1, "a write leaves no gap in the log");
  return [...entries.slice(0, first.index - start.index - 1), ...kept];
}

/** The disk with a snapshot of all up to `index`, and the log before it dropped. */
export function compacted(disk: Disk, index: number, confState: ConfState): Disk {
  const entry = disk.entries[index - disk.start.index - 1];
  invariant(entry !== undefined, "what is applied is in the log");
  const snapshot: Snapshot = { meta: { index, term: entry.term, confState }, data: EMPTY_SNAPSHOT.data };
  const entries = disk.entries.slice(index - disk.start.index);
  return { ...disk, snapshot, start: positionOf(snapshot), entries };
}

function positionOf({ meta: { index, term } }: Snapshot): { readonly index: number; readonly term: number } {
  return { index, term };
}
