import type { Entry } from "../core/index.js";

/**
 * What an entry in memory costs besides its payload's buffer: the entry, the view of its payload, and its place in an
 * array. Measured with Node 20, as is the next.
 */
export const ENTRY_OVERHEAD_BYTES = 170;
/** What a buffer costs besides its bytes. */
const BUFFER_OVERHEAD_BYTES = 104;

/**
 * What entries keep alive, as they come and go in the order of the log. A payload is a view, and it is its whole buffer
 * that stays: one that many entries are in counts once. Neighbours mostly are in the same one, so that the count is kept
 * by runs of them.
 */
export class HeldBytes {
  #bytes = 0;
  /** How many runs each buffer has. */
  readonly #runs: Map<ArrayBufferLike, number> = new Map();

  get bytes(): number {
    return this.#bytes;
  }

  /** An entry comes, next to `neighbour`; undefined = there is none. */
  add({ data }: Entry, neighbour: Entry | undefined): void {
    this.#bytes += ENTRY_OVERHEAD_BYTES;
    const { buffer } = data;
    if (neighbour?.data.buffer === buffer) return;
    const runs = this.#runs.get(buffer) ?? 0;
    if (runs === 0) this.#bytes += buffer.byteLength + BUFFER_OVERHEAD_BYTES;
    this.#runs.set(buffer, runs + 1);
  }

  /** An entry goes, from next to `neighbour`. */
  remove({ data }: Entry, neighbour: Entry | undefined): void {
    this.#bytes -= ENTRY_OVERHEAD_BYTES;
    const { buffer } = data;
    if (neighbour?.data.buffer === buffer) return;
    const runs = this.#runs.get(buffer) ?? 0;
    if (runs > 1) {
      this.#runs.set(buffer, runs - 1);
      return;
    }
    this.#runs.delete(buffer);
    this.#bytes -= buffer.byteLength + BUFFER_OVERHEAD_BYTES;
  }

  clear(): void {
    this.#bytes = 0;
    this.#runs.clear();
  }
}
