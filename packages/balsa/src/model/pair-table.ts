const EMPTY = -1;

/** From two non-negative integers to one: open addressing in a typed array, no object per entry. */
export class PairTable {
  private slots: Int32Array = new Int32Array(3 * 1024).fill(EMPTY);
  private mask = 1023;
  private count = 0;

  /** −1: not there. */
  get(a: number, b: number): number {
    const { slots, mask } = this;
    for (let at = placeOf(a, b) & mask; ; at = (at + 1) & mask) {
      const key = slots[at * 3] as number;
      if (key === EMPTY) return EMPTY;
      if (key === a && slots[at * 3 + 1] === b) return slots[at * 3 + 2] as number;
    }
  }

  /** The pair must not be there yet. */
  set(a: number, b: number, value: number): void {
    if (this.count * 3 > this.mask * 2) this.grow();
    this.insert(a, b, value);
    this.count++;
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  private insert(a: number, b: number, value: number): void {
    const { slots, mask } = this;
    let at = placeOf(a, b) & mask;
    while (slots[at * 3] !== EMPTY) at = (at + 1) & mask;
    slots[at * 3] = a;
    slots[at * 3 + 1] = b;
    slots[at * 3 + 2] = value;
  }

  private grow(): void {
    const old = this.slots;
    this.mask = this.mask * 2 + 1;
    this.slots = new Int32Array(3 * (this.mask + 1)).fill(EMPTY);
    for (let i = 0; i < old.length; i += 3) {
      if (old[i] !== EMPTY) this.insert(old[i] as number, old[i + 1] as number, old[i + 2] as number);
    }
  }
}

function placeOf(a: number, b: number): number {
  const x = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
  const y = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return y ^ (y >>> 15);
}
