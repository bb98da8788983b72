import type { Entry } from "../core/index.js";
import { EMPTY_SNAPSHOT, entryBytes } from "../core/index.js";

/**
 * What an entry in memory costs besides its payload's buffer: the entry, the view of its payload, and its place in an
 * array. Measured with Node 20: 168 bytes.
 */
export const ENTRY_OVERHEAD_BYTES = 168;

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
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Of what is held. */
  get bytes(): number {
    return this.#bytes;
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
    const last = this.#entries.at(-1);
    if (last !== undefined && last.index + 1 !== first.index) this.clear();
    for (const entry of entries) {
      this.#bytes += costBehind(this.#entries.length > this.#dead ? this.#entries.at(-1) : undefined, entry);
      this.#entries.push(entry);
    }
    while (this.#bytes > this.bytesMax && this.#dropFirst()) continue;
    this.#tidy();
  }

  /** Drops the entries from this index on. */
  cutFrom(index: number): void {
    for (let last = this.#entries.at(-1); last !== undefined && last.index >= index; last = this.#entries.at(-1)) {
      if (this.#entries.length === this.#dead) break;
      this.#entries.pop();
      this.#bytes -= costBehind(this.#entries.length > this.#dead ? this.#entries.at(-1) : undefined, last);
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
    this.#bytes = 0;
  }

  /** As many of [lo, hi) as fit into `maxBytes`, one at the least; undefined if the first one is not here. */
  slice(lo: number, hi: number, maxBytes: number): readonly Entry[] | undefined {
    const first = this.firstIndex;
    if (first === undefined || lo < first) return undefined;
    return sliceWithin(this.#entries, this.#dead + lo - first, this.#dead + hi - first, maxBytes);
  }

  #dropFirst(): boolean {
    const first = this.#entries[this.#dead];
    if (first === undefined) return false;
    this.#entries[this.#dead++] = DROPPED;
    const next = this.#entries[this.#dead];
    // A buffer that the next entry is in as well is held on for that one.
    this.#bytes -= ENTRY_OVERHEAD_BYTES;
    if (next?.data.buffer !== first.data.buffer) this.#bytes -= first.data.buffer.byteLength;
    return true;
  }

  #tidy(): void {
    if (this.#dead === 0 || this.#dead * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#dead);
    this.#dead = 0;
  }
}

/** What an entry behind another one adds to what is held. Neighbours come in the same buffer. */
export function costBehind(previous: Entry | undefined, { data }: Entry): number {
  return ENTRY_OVERHEAD_BYTES + (previous?.data.buffer === data.buffer ? 0 : data.buffer.byteLength);
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
