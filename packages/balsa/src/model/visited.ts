/**
 * The fingerprints of all states that were seen: open addressing in memory that many threads may share. Fixed in size;
 * memory that is never touched costs nothing.
 */
export class Visited {
  /** Two lanes a slot; neither is 0 where there is one. */
  readonly slots: Int32Array;
  private readonly mask: number;

  constructor(memory: SharedArrayBuffer) {
    this.slots = new Int32Array(memory);
    this.mask = this.slots.length / 2 - 1;
  }

  /** Memory for at least so many states, at most three quarters full. */
  static memoryFor(states: number): SharedArrayBuffer {
    let slots = 1024;
    while (slots * 0.75 < states) slots *= 2;
    return new SharedArrayBuffer(slots * BYTES_PER_SLOT);
  }

  /** How many states fit in. */
  get capacity(): number {
    return Math.floor((this.mask + 1) * 0.75);
  }

  /** Whether the state was not there yet; it is from here on. */
  add(low: number, high: number): boolean {
    const { slots, mask } = this;
    for (let slot = (low ^ Math.imul(high, 0x9e3779b1)) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 2;
      let there = slots[at] as number;
      if (there === 0) {
        there = Atomics.compareExchange(slots, at, 0, low);
        if (there === 0) {
          Atomics.store(slots, at + 1, high);
          return true;
        }
      }
      if (there !== low) continue;
      let other = slots[at + 1] as number;
      // Whoever took the slot is about to write the other lane.
      while (other === 0) other = Atomics.load(slots, at + 1);
      if (other === high) return false;
    }
  }
}

const BYTES_PER_SLOT = 8;
