import { corrupt } from "../codec/index.js";

/** Reads so many bytes at a time from a stream that comes in pieces of any length. */
export class StreamReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** Of the piece that was last taken: what is not read yet. */
  #left: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** @throws BalsaError `corrupt`: the stream ends before */
  async read(lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    for (let at = 0; at < lengthBytes; ) {
      if (this.#left.length === 0 && !(await this.#takePiece())) throw corrupt("a stream ends early");
      const part = this.#left.subarray(0, lengthBytes - at);
      bytes.set(part, at);
      at += part.length;
      this.#left = this.#left.subarray(part.length);
    }
    return bytes;
  }

  /** All that was not read. */
  async *rest(): AsyncIterable<Uint8Array> {
    try {
      if (this.#left.length > 0) yield this.#left;
      while (await this.#takePiece()) yield this.#left;
    } finally {
      await this.#source.return?.();
    }
  }

  async #takePiece(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#left = next.value;
    return true;
  }
}
