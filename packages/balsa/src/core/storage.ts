import type { ConfState } from "./conf-state.js";
import type { Entry } from "./entry.js";
import type { HardState } from "./hard-state.js";
import type { Snapshot } from "./snapshot.js";

export type StorageErrorCode =
  /** The index lies before the log's first: a snapshot is needed instead. */
  | "compacted"
  /** The index lies past the log's end. */
  | "unavailable"
  /** The entry is on disk and not in memory: it is to be fetched, and asked for again (`RawNode.entriesNeeded`). */
  | "entries-temporarily-unavailable"
  /** An older snapshot than the present one was offered. */
  | "snapshot-out-of-date"
  /** The snapshot is being made: ask again later. */
  | "snapshot-temporarily-unavailable";

/** The answers of `Storage` that the core knows how to handle. Any other error makes the node inoperable (A1). */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  constructor(code: StorageErrorCode) {
    super(`storage: ${code}`);
    this.name = "StorageError";
    this.code = code;
  }
}

/** The read side of stable storage (A1). Writes are the caller's: they come out of `Ready`. */
export interface Storage {
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries of [lo, hi), at least one if there are any, cut before their sizes add up to more than `maxBytes`, or before
   * the first one that is not in memory.
   * @throws StorageError compacted (lo < firstIndex), unavailable (hi > lastIndex + 1), entries-temporarily-unavailable
   * (entry `lo` is not in memory; who asked is asked to wait, see `RawNode.entriesNeeded`)
   */
  entries(lo: number, hi: number, maxBytes: number): readonly Entry[];
  /**
   * Term of entry i, for i in [firstIndex − 1, lastIndex]: the term just before the first index is kept for matching.
   * Always answered, also where the entry itself is not in memory.
   * @throws StorageError compacted, unavailable
   */
  term(i: number): number;
  /** Index of the first entry that may be there; the snapshot's index + 1. */
  firstIndex(): number;
  /** Index of the last entry; firstIndex − 1 when the log is empty. */
  lastIndex(): number;
  /** @throws StorageError snapshot-temporarily-unavailable */
  snapshot(): Snapshot;
}
