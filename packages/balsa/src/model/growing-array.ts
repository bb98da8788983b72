/** An array of 32-bit integers that grows at its end, in one typed array. */
export class GrowingArray {
  items: Int32Array = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.items.length) this.grow(this.length + 1);
    this.items[this.length++] = value;
  }

  /** Makes room for so many more. */
  reserve(count: number): void {
    if (this.length + count > this.items.length) this.grow(this.length + count);
  }

  get bytes(): number {
    return this.items.byteLength;
  }

  private grow(needed: number): void {
    const larger = new Int32Array(Math.max(this.items.length * 2, needed));
    larger.set(this.items.subarray(0, this.length));
    this.items = larger;
  }
}
