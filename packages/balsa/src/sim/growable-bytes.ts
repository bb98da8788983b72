import { PAGE_BYTES } from "./limits.js";
import { isZero } from "./zeros.js";

interface Page {
  /** Whoever is named may change it; all others copy it first. */
  readonly owner: object;
  readonly bytes: Uint8Array;
}

/**
 * Bytes with a size that changes. Beyond the size everything is zero, so that growing shows zeros. In pages, of which
 * those that are zero take no room, and forks share those that neither has changed: files are prepared with megabytes of
 * zeros, and forked at each crash.
 */
export class GrowableBytes {
  /** Missing: zeros. */
  #pages: (Page | undefined)[] = [];
  #size = 0;
  #owner: object = {};

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.write(0, bytes);
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** The same bytes, to be changed apart from these. Copies nothing before one of the two changes. */
  fork(): GrowableBytes {
    const other = new GrowableBytes();
    other.#pages = this.#pages.slice();
    other.#size = this.#size;
    // What is there belongs to neither from now on.
    this.#owner = {};
    return other;
  }

  /** A copy; shorter where the bytes end. */
  slice(start: number, end: number): Uint8Array {
    const from = Math.min(start, this.#size);
    const to = Math.max(from, Math.min(end, this.#size));
    const bytes = new Uint8Array(to - from);
    for (let at = from; at < to; ) {
      const index = Math.floor(at / PAGE_BYTES);
      if (index >= this.#pages.length) break;
      const offset = at - index * PAGE_BYTES;
      const lengthBytes = Math.min(PAGE_BYTES - offset, to - at);
      const page = this.#pages[index];
      if (page !== undefined) bytes.set(page.bytes.subarray(offset, offset + lengthBytes), at - from);
      at += lengthBytes;
    }
    return bytes;
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (isZero(bytes)) {
      this.#zero(position, end);
    } else {
      for (let at = position; at < end; ) {
        const index = Math.floor(at / PAGE_BYTES);
        const offset = at - index * PAGE_BYTES;
        const lengthBytes = Math.min(PAGE_BYTES - offset, end - at);
        const isAll = lengthBytes === bytes.length;
        this.#own(index).set(isAll ? bytes : bytes.subarray(at - position, at - position + lengthBytes), offset);
        at += lengthBytes;
      }
    }
    this.#size = Math.max(this.#size, end);
  }

  resize(sizeBytes: number): void {
    if (sizeBytes < this.#size) {
      this.#zero(sizeBytes, this.#size);
      this.#pages.length = Math.min(this.#pages.length, Math.ceil(sizeBytes / PAGE_BYTES));
    }
    this.#size = sizeBytes;
  }

  /** Zeros in [start, end), as far as there are bytes. */
  zero(start: number, end: number): void {
    this.#zero(Math.min(start, this.#size), Math.min(end, this.#size));
  }

  /** Turns one bit over. */
  flip(position: number, bit: number): void {
    if (position >= this.#size) return;
    const index = Math.floor(position / PAGE_BYTES);
    const bytes = this.#own(index);
    const offset = position - index * PAGE_BYTES;
    bytes[offset] = (bytes[offset] as number) ^ (1 << bit);
  }

  #zero(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const index = Math.floor(at / PAGE_BYTES);
      if (index >= this.#pages.length) return;
      const offset = at - index * PAGE_BYTES;
      const lengthBytes = Math.min(PAGE_BYTES - offset, end - at);
      if (lengthBytes === PAGE_BYTES) this.#pages[index] = undefined;
      else if (this.#pages[index] !== undefined) this.#own(index).fill(0, offset, offset + lengthBytes);
      at += lengthBytes;
    }
  }

  /** The page's bytes, to be changed. */
  #own(index: number): Uint8Array {
    const page = this.#pages[index];
    if (page?.owner === this.#owner) return page.bytes;
    const bytes = page === undefined ? new Uint8Array(PAGE_BYTES) : page.bytes.slice();
    while (this.#pages.length < index) this.#pages.push(undefined);
    this.#pages[index] = { owner: this.#owner, bytes };
    return bytes;
  }
}
