import { BLOCK_BYTES } from "./limits.js";

/** Which blocks of a file have room on the disk: those that were written. A hole takes none. */
export class BlockMap {
  #taken = new Uint8Array(8);
  #count = 0;

  get bytes(): number {
    return this.#count * BLOCK_BYTES;
  }

  fork(): BlockMap {
    const other = new BlockMap();
    other.#taken = this.#taken.slice();
    other.#count = this.#count;
    return other;
  }

  /** How many bytes of a write at `position` can be had with so many bytes free. */
  fitting(position: number, lengthBytes: number, freeBytes: number): number {
    let free = freeBytes;
    for (let block = Math.floor(position / BLOCK_BYTES); block * BLOCK_BYTES < position + lengthBytes; block += 1) {
      if (this.#taken[block] === 1) continue;
      free -= BLOCK_BYTES;
      if (free < 0) return Math.max(0, block * BLOCK_BYTES - position);
    }
    return lengthBytes;
  }

  take(position: number, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    const last = Math.floor((position + lengthBytes - 1) / BLOCK_BYTES);
    if (last >= this.#taken.length) {
      const grown = new Uint8Array(Math.max(last + 1, this.#taken.length * 2));
      grown.set(this.#taken);
      this.#taken = grown;
    }
    for (let block = Math.floor(position / BLOCK_BYTES); block <= last; block += 1) {
      if (this.#taken[block] === 0) this.#count += 1;
      this.#taken[block] = 1;
    }
  }

  /** Gives back what lies beyond the size. */
  cutAt(sizeBytes: number): void {
    for (let block = Math.ceil(sizeBytes / BLOCK_BYTES); block < this.#taken.length; block += 1) {
      if (this.#taken[block] === 1) this.#count -= 1;
      this.#taken[block] = 0;
    }
  }
}
