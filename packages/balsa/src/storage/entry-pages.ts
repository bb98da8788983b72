import type { Entry } from "../core/index.js";
import { sliceWithin } from "./entry-tail.js";
import { HeldBytes } from "./held-bytes.js";

interface Page {
  readonly firstIndex: number;
  readonly entries: readonly Entry[];
  /** What it keeps alive. */
  readonly bytes: number;
}

/**
 * Entries that were read back from disk, for whoever waits for them: pieces of the log, the last used ones, as many as a
 * number of bytes allows, but always the newest. Apart from the tail, so that a slow reader never pushes out what all
 * others need.
 */
export class EntryPages {
  readonly #bytesMax: number;
  /** The last used one last. */
  #pages: Page[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    const held = new HeldBytes();
    entries.forEach((entry, i) => held.add(entry, entries[i - 1]));
    const { bytes } = held;
    this.#pages.push({ firstIndex: first.index, entries, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax && this.#pages.length > 1) this.#remove(0);
  }

  /** As many of [lo, hi) as one page has and as fit into `maxBytes`; undefined if the first one is not here. */
  slice(lo: number, hi: number, maxBytes: number): readonly Entry[] | undefined {
    const at = this.#pages.findLastIndex(
      ({ firstIndex, entries }) => lo >= firstIndex && lo < firstIndex + entries.length,
    );
    const page = this.#pages[at];
    if (page === undefined) return undefined;
    if (at !== this.#pages.length - 1) {
      this.#pages.splice(at, 1);
      this.#pages.push(page);
    }
    return sliceWithin(page.entries, lo - page.firstIndex, hi - page.firstIndex, maxBytes);
  }

  /** Drops what has entries from this index on: others have taken their places. */
  cutFrom(index: number): void {
    this.#removeWhere((page) => page.firstIndex + page.entries.length > index);
  }

  /** Drops what has nothing above this index. */
  dropTo(index: number): void {
    this.#removeWhere((page) => page.firstIndex + page.entries.length <= index + 1);
  }

  #removeWhere(isGone: (page: Page) => boolean): void {
    for (let at = this.#pages.length - 1; at >= 0; at--) if (isGone(this.#pages[at] as Page)) this.#remove(at);
  }

  #remove(at: number): void {
    const [page] = this.#pages.splice(at, 1);
    if (page !== undefined) this.#bytes -= page.bytes;
  }
}
