import type { Entry, Snapshot } from "../../src/core/index.js";
import { EMPTY_CONF_STATE } from "../../src/core/index.js";

/** A normal entry with a payload of so many bytes. */
export function entry(term: number, index: number, bytes = 0): Entry {
  return { type: "normal", term, index, data: new Uint8Array(bytes), checksum: 0 };
}

/** Entries of the given terms from `first` on: `entriesFrom(5, 1, 1, 2)` is 1/5 1/6 2/7. */
export function entriesFrom(first: number, ...terms: number[]): Entry[] {
  return terms.map((term, i) => entry(term, first + i));
}

export function snapshotAt(index: number, term: number, voters: readonly number[] = [1, 2, 3]): Snapshot {
  return { meta: { index, term, confState: { ...EMPTY_CONF_STATE, voters } }, data: new Uint8Array(0) };
}

/** `term/index term/index` */
export function positions(entries: readonly Entry[]): string {
  return entries.map(({ term, index }) => `${term}/${index}`).join(" ");
}
