import type { Entry } from "../core/index.js";
import { EMPTY_SNAPSHOT, entryBytes } from "../core/index.js";
import { HeldBytes } from "./held-bytes.js";

/** In place of an entry that was dropped, so that nothing keeps it alive. */
const DROPPED: Entry = { type: "normal", term: 0, index: 0, data: EMPTY_SNAPSHOT.data, checksum: 0 };

/**
 * Consecutive entries in memory, the newest of the log, as many as a number of bytes allows. Counted is what they keep
 * alive: a payload is a view, and it is its whole buffer that stays.
 */
export class EntryTail {
  readonly bytesMax: number;
  /** Behind `dead` places that are free: dropping the oldest costs nothing per entry that stays. */
  #entries: Entry[] = [];
  #dead = 0;
  readonly #held = new HeldBytes();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Of what is held. */
  get bytes(): number {
    return this.#held.bytes;
  }

  /** Index of the first entry here; undefined when there is none. */
  get firstIndex(): number | undefined {
    return this.#entries[this.#dead]?.index;
  }

  /** Entries behind the last one here; whatever was at their places or behind them gives way. */
  push(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    this.cutFrom(first.index);
    const last = this.#last;
    if (last !== undefined && last.index + 1 !== first.index) this.clear();
    for (const entry of entries) {
      this.#held.add(entry, this.#last);
      this.#entries.push(entry);
    }
    while (this.#held.bytes > this.bytesMax && this.#dropFirst()) continue;
    this.#tidy();
  }

  /** Drops the entries from this index on. */
  cutFrom(index: number): void {
    for (let last = this.#last; last !== undefined && last.index >= index; last = this.#last) {
      this.#entries.pop();
      this.#held.remove(last, this.#last);
    }
    if (this.#entries.length === this.#dead) this.clear();
  }

  /** Drops the entries up to and including this index. */
  dropTo(index: number): void {
    for (let first = this.firstIndex; first !== undefined && first <= index; first = this.firstIndex) this.#dropFirst();
    this.#tidy();
  }

  clear(): void {
    this.#entries = [];
    this.#dead = 0;
    this.#held.clear();
  }

  /** As many of [lo, hi) as fit into `maxBytes`, one at the least; undefined if the first one is not here. */
  slice(lo: number, hi: number, maxBytes: number): readonly Entry[] | undefined {
    const first = this.firstIndex;
    if (first === undefined || lo < first) return undefined;
    return sliceWithin(this.#entries, this.#dead + lo - first, this.#dead + hi - first, maxBytes);
  }

  get #last(): Entry | undefined {
    return this.#entries.length > this.#dead ? this.#entries[this.#entries.length - 1] : undefined;
  }

  #dropFirst(): boolean {
    const first = this.#entries[this.#dead];
    if (first === undefined) return false;
    this.#entries[this.#dead++] = DROPPED;
    this.#held.remove(first, this.#entries[this.#dead]);
    return true;
  }

  #tidy(): void {
    if (this.#dead === 0 || this.#dead * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#dead);
    this.#dead = 0;
  }
}

/** As many of the entries at [from, to) as there are and fit into `maxBytes`; undefined if there is none. */
export function sliceWithin(
  entries: readonly Entry[],
  from: number,
  to: number,
  maxBytes: number,
): readonly Entry[] | undefined {
  const end = Math.min(to, entries.length);
  if (from >= end) return undefined;
  let bytes = 0;
  let at = from;
  for (; at < end; at++) {
    bytes += entryBytes(entries[at] as Entry);
    if (bytes > maxBytes && at > from) break;
  }
  return entries.slice(from, at);
}
