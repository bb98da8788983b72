import type { Entry } from "../../src/core/index.js";
import { MemoryStorage, StorageError } from "../../src/core/index.js";

/** What a storage answers that keeps old entries on a disk: all of them, the first one alone, or none yet. */
export type Lateness = () => "at-once" | "first" | "later";

/** Has everything in memory, as its base does; but while the core asks it may pretend not to. */
export class LateStorage extends MemoryStorage {
  /** Whoever asks otherwise is answered. */
  isAskedByCore = false;
  private readonly lateness: Lateness;

  constructor(lateness: Lateness) {
    super();
    this.lateness = lateness;
  }

  override entries(lo: number, hi: number, maxBytes: number): readonly Entry[] {
    const entries = super.entries(lo, hi, maxBytes);
    if (!this.isAskedByCore || lo === hi) return entries;
    const answer = this.lateness();
    if (answer === "later") throw new StorageError("entries-temporarily-unavailable");
    return answer === "first" ? entries.slice(0, 1) : entries;
  }
}
