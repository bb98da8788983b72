import { invariant } from "balsa/core";
import type { ByteString } from "./byte-string.js";

/** [from, to); empty if `to` is not above `from`. */
export interface Interval {
  readonly from: ByteString;
  readonly to: ByteString;
}

/**
 * Keys covered by any of a number of intervals. Sorted and merged when it is asked after additions, so that many
 * questions between few additions, as transactions have them, cost a binary search each.
 */
export class IntervalSet {
  /** Up to `mergedCount` sorted and disjoint; as they came behind that. */
  private intervals: Interval[] = [];
  private mergedCount = 0;

  add(interval: Interval): void {
    if (interval.from < interval.to) this.intervals.push(interval);
  }

  addAll(other: IntervalSet): void {
    for (const interval of other.intervals) this.intervals.push(interval);
  }

  has(key: ByteString): boolean {
    this.merge();
    // The last interval that begins at or before the key.
    let low = 0;
    let high = this.intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).from <= key) low = middle + 1;
      else high = middle;
    }
    return low > 0 && key < this.at(low - 1).to;
  }

  private merge(): void {
    if (this.mergedCount === this.intervals.length) return;
    this.intervals.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    const merged: Interval[] = [];
    for (const interval of this.intervals) {
      const last = merged.at(-1);
      if (last === undefined || last.to < interval.from) merged.push(interval);
      else if (last.to < interval.to) merged[merged.length - 1] = { from: last.from, to: interval.to };
    }
    this.intervals = merged;
    this.mergedCount = merged.length;
  }

  private at(position: number): Interval {
    const interval = this.intervals[position];
    invariant(interval !== undefined, "interval set: dense list");
    return interval;
  }
}
