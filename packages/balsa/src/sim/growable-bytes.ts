/** Bytes with a size that changes. Beyond the size everything is zero, so that growing shows zeros. */
export class GrowableBytes {
  #bytes: Uint8Array;
  #size: number;
  /** A fork reads the same bytes: they are copied before the next change. */
  #isShared = false;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes.slice();
    this.#size = bytes.length;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** The same bytes, to be changed apart from these. Copies nothing before one of the two changes. */
  fork(): GrowableBytes {
    const other = new GrowableBytes();
    other.#bytes = this.#bytes;
    other.#size = this.#size;
    other.#isShared = true;
    this.#isShared = true;
    return other;
  }

  /** A copy; shorter where the bytes end. */
  slice(start: number, end: number): Uint8Array {
    return this.#bytes.slice(Math.min(start, this.#size), Math.min(end, this.#size));
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    this.#reserve(end);
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  resize(sizeBytes: number): void {
    if (sizeBytes === this.#size) return;
    this.#reserve(sizeBytes);
    if (sizeBytes < this.#size) this.#bytes.fill(0, sizeBytes, this.#size);
    this.#size = sizeBytes;
  }

  /** Zeros in [start, end), as far as there are bytes. */
  zero(start: number, end: number): void {
    this.#reserve(this.#size);
    this.#bytes.fill(0, Math.min(start, this.#size), Math.min(end, this.#size));
  }

  /** Turns one bit over. */
  flip(position: number, bit: number): void {
    if (position >= this.#size) return;
    this.#reserve(this.#size);
    this.#bytes[position] = (this.#bytes[position] as number) ^ (1 << bit);
  }

  /** Bytes of its own, with room for so many. */
  #reserve(capacity: number): void {
    if (capacity > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(capacity, this.#bytes.length * 2, 4096));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    } else if (this.#isShared) {
      this.#bytes = this.#bytes.slice();
    }
    this.#isShared = false;
  }
}
