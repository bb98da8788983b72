import { invariant } from "./invariant.js";

/** How much may be on its way to one peer. */
export interface InflightLimits {
  /** Append messages with entries. */
  readonly maxInflightMessages: number;
  /** Payload bytes; the message that crosses the limit is the last one to go. */
  readonly maxInflightBytes: number;
}

const FIRST_CAPACITY = 8;

/**
 * The window of append messages that were sent to a replicating peer and not acknowledged yet (thesis §10.2.1), oldest
 * first: for each the index of its last entry and its payload bytes. A ring that grows as it is needed.
 */
export class Inflights {
  readonly limits: InflightLimits;
  /** Messages in the window. */
  count = 0;
  /** Payload bytes in the window. */
  bytes = 0;
  /** Place of the oldest message in the rings. */
  private head = 0;
  private lastIndexes: number[] = [];
  private sizes: number[] = [];

  constructor(limits: InflightLimits) {
    this.limits = limits;
  }

  /** A full window pauses the peer. */
  full(): boolean {
    return this.count >= this.limits.maxInflightMessages || this.bytes >= this.limits.maxInflightBytes;
  }

  /** Notes a message whose last entry is `lastIndex`, larger than that of any message before. */
  add(lastIndex: number, payloadBytes: number): void {
    invariant(!this.full(), "a full in-flight window takes no message");
    if (this.count === this.lastIndexes.length) this.grow();
    const place = this.place(this.count);
    this.lastIndexes[place] = lastIndex;
    this.sizes[place] = payloadBytes;
    this.count++;
    this.bytes += payloadBytes;
  }

  /** Frees all messages whose last entry is at or below the acknowledged index. */
  freeTo(acknowledgedIndex: number): void {
    while (this.count > 0 && (this.lastIndexes[this.head] as number) <= acknowledgedIndex) {
      this.bytes -= this.sizes[this.head] as number;
      this.head = this.place(1);
      this.count--;
    }
  }

  /** Forgets all. */
  reset(): void {
    this.head = 0;
    this.count = 0;
    this.bytes = 0;
  }

  /** What is in the window, oldest first, for copies and comparisons. */
  toArray(): { readonly lastIndex: number; readonly bytes: number }[] {
    return Array.from({ length: this.count }, (_, i) => ({
      lastIndex: this.lastIndexes[this.place(i)] as number,
      bytes: this.sizes[this.place(i)] as number,
    }));
  }

  private place(offset: number): number {
    const place = this.head + offset;
    return place >= this.lastIndexes.length ? place - this.lastIndexes.length : place;
  }

  private grow(): void {
    const capacity = Math.min(Math.max(FIRST_CAPACITY, this.count * 2), this.limits.maxInflightMessages);
    const lastIndexes = new Array<number>(capacity).fill(0);
    const sizes = new Array<number>(capacity).fill(0);
    for (let i = 0; i < this.count; i++) {
      lastIndexes[i] = this.lastIndexes[this.place(i)] as number;
      sizes[i] = this.sizes[this.place(i)] as number;
    }
    this.lastIndexes = lastIndexes;
    this.sizes = sizes;
    this.head = 0;
  }
}
