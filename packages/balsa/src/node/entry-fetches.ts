import type { RawNode } from "../core/index.js";
import type { DiskStorage } from "../storage/index.js";
import { ENTRY_FETCHES_MAX } from "./limits.js";

export interface EntryFetchesParts {
  readonly raw: RawNode;
  readonly storage: Pick<DiskStorage, "fetchEntries">;
  /** Some of what the core waits for may be in memory now. */
  readonly onFetched: () => void;
  readonly onFailure: (cause: unknown) => void;
}

/**
 * Brings entries that the core waits for from the log on disk into memory: for peers that are far behind, and for the
 * state machine after a restart. A few reads at a time, whoever waits longest first; nobody else waits for them.
 */
export class EntryFetches {
  private readonly parts: EntryFetchesParts;
  /** First entries of what is needed and not being read, with where it ends: in the order in which they came up. */
  private waiting = new Map<number, number>();
  private readonly reading = new Set<number>();

  constructor(parts: EntryFetchesParts) {
    this.parts = parts;
  }

  /** To be called when the core may have come to need something. */
  update(): void {
    const needed = this.parts.raw.entriesNeeded();
    // Before anything is made: every turn asks.
    if (this.waiting.size === 0) {
      if (needed.length === 0) return;
      if (needed.every(({ from }) => this.reading.has(from))) return;
    }
    const now = new Map(needed.map(({ from, to }) => [from, to]));
    const waiting = new Map<number, number>();
    for (const from of [...this.waiting.keys(), ...now.keys()]) {
      const to = now.get(from);
      if (to !== undefined && !this.reading.has(from)) waiting.set(from, to);
    }
    this.waiting = waiting;
    for (const [from, to] of waiting) {
      if (this.reading.size >= ENTRY_FETCHES_MAX) return;
      waiting.delete(from);
      this.fetch(from, to);
    }
  }

  private fetch(from: number, to: number): void {
    this.reading.add(from);
    this.parts.storage.fetchEntries(from, to).then(
      () => {
        this.reading.delete(from);
        this.parts.onFetched();
      },
      (cause: unknown) => this.parts.onFailure(cause),
    );
  }
}
