/** What became of a damaged directory. */
export type Outcome =
  /** Refused, with the file and the offset. */
  | "corrupt"
  /** Dropped with a word. */
  | "torn: last batch dropped"
  | "torn: several batches dropped"
  /** A word, and nothing is missing. */
  | "torn: nothing lost"
  /** Looks in all as a log that was never longer. */
  | "shorter, without a word"
  | "harmless";

/** @param missing batches with entries */
export function outcomeOf(missing: number, hasWord: boolean): Outcome {
  if (!hasWord) return missing === 0 ? "harmless" : "shorter, without a word";
  if (missing === 0) return "torn: nothing lost";
  return missing === 1 ? "torn: last batch dropped" : "torn: several batches dropped";
}

export interface Verdict {
  /** What lies where the damage begins. */
  readonly region: string;
  readonly outcome: Outcome;
}

/** The bytes that are not what they were. */
export interface ByteDamage {
  /** The first of them. */
  readonly at: number;
  touches(from: number, to: number): boolean;
}

interface Witness {
  readonly start: number;
  readonly headEnd: number;
  /** All before this was durable when it was written. */
  readonly durable: number;
}

interface BatchSpan {
  readonly start: number;
  /** Header and tables end here, the entry records begin. */
  readonly headEnd: number;
  readonly end: number;
}

const SEGMENT_HEADER_BYTES = 128;
const MAGIC = 0x48435442;
/** Behind each batch, until the next one is written. */
const TERMINATOR_BYTES = 12;
/** A log at rest has a witness in a sector of its own: one more head, which says up to where all had been durable. */
const WITNESS_SECTOR_BYTES = 4096;

/** Where in a sound segment what lies, and what docs/storage-format.md says of damage to it. */
export class SegmentAnatomy {
  readonly #preparedBytes: number;
  readonly #batches: BatchSpan[] = [];
  readonly #witnesses: Witness[] = [];
  readonly #isNewest: boolean;
  readonly #endsInMark: boolean;

  constructor(bytes: Uint8Array, isNewest: boolean, endsInMark: boolean) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#preparedBytes = view.getUint32(96, true);
    this.#isNewest = isNewest;
    this.#endsInMark = endsInMark;
    const number = view.getUint32(56, true);
    for (let start = SEGMENT_HEADER_BYTES; start + 40 <= bytes.length; ) {
      if (view.getUint32(start, true) !== MAGIC || view.getUint32(start + 32, true) !== number) break;
      const headEnd = start + view.getUint32(start + 8, true);
      const end = headEnd + view.getUint32(start + 12, true);
      this.#batches.push({ start, headEnd, end });
      start = end + view.getUint32(start + 16, true);
    }
    for (let start = WITNESS_SECTOR_BYTES; start + 120 <= bytes.length; start += WITNESS_SECTOR_BYTES) {
      if (view.getUint32(start, true) !== MAGIC || view.getUint32(start + 32, true) !== number) continue;
      const [headEnd, durable] = [start + view.getUint32(start + 8, true), view.getUint32(start + 44, true)];
      if (durable < start) this.#witnesses.push({ start, headEnd, durable });
    }
  }

  /** Where the log ends in this file. */
  get end(): number {
    return this.#batches.at(-1)?.end ?? SEGMENT_HEADER_BYTES;
  }

  damaged(damage: ByteDamage): Verdict {
    return { region: this.#regionAt(damage.at), outcome: this.#outcome(damage) };
  }

  cutAt(length: number): Verdict {
    const ends = this.#batches.map(({ end }) => end);
    // A prepared file tells of it, and so does what another segment links to, and what a segment never lacks.
    if (length < this.#preparedBytes || length < (this.#isNewest ? (ends[0] ?? 0) : this.end)) {
      return { region: this.#regionAt(length), outcome: "corrupt" };
    }
    // Nobody looks for the terminator of a segment that has a successor.
    if (!this.#isNewest) return { region: this.#regionAt(length), outcome: "harmless" };
    const missing = ends.filter((end) => end > length).length;
    const isWhole = length >= this.end + TERMINATOR_BYTES;
    const region = `newest segment: behind ${isWhole ? "its end" : "its first batch"}`;
    return { region, outcome: outcomeOf(missing === 0 || !this.#endsInMark ? missing : missing - 1, !isWhole) };
  }

  #outcome({ touches }: ByteDamage): Outcome {
    const [first] = this.#batches;
    if (!this.#isNewest) return touches(0, this.end) ? "corrupt" : "harmless";
    if (first === undefined || touches(0, first.end)) return "corrupt";
    const at = this.#batches.findIndex(({ start, end }) => touches(start, end));
    const behind = this.#batches[at];
    if (behind === undefined) return outcomeOf(0, touches(this.end, this.end + TERMINATOR_BYTES));
    // A sound head further on vouches for all before it; a witness, for what was durable before it.
    if (this.#batches.slice(at + 1).some(({ start, headEnd }) => !touches(start, headEnd))) return "corrupt";
    const witness = this.#witnesses.find(({ start, headEnd }) => !touches(start, headEnd));
    if (witness !== undefined && witness.durable > behind.start) return "corrupt";
    const missing = this.#batches.length - at - (this.#endsInMark ? 1 : 0);
    return outcomeOf(missing, true);
  }

  #regionAt(at: number): string {
    const which = this.#isNewest ? "newest segment" : "closed segment";
    if (at < SEGMENT_HEADER_BYTES) return `${which}: header`;
    if (at >= this.end) return `${which}: behind its end`;
    const last = this.#batches.at(-1);
    if (!this.#isNewest || last === undefined || at < last.start) return `${which}: vouched batches`;
    return this.#endsInMark ? `${which}: the mark at its end` : `${which}: a last batch without a mark`;
  }
}

/** One byte that is another. */
export function byteDamage(at: number): ByteDamage {
  return { at, touches: (from, to) => from <= at && at < to };
}

/** Whatever differs; undefined if nothing does. */
export function differences(before: Uint8Array, after: Uint8Array): ByteDamage | undefined {
  const at = before.findIndex((byte, i) => byte !== after[i]);
  if (at === -1) return undefined;
  return {
    at,
    touches: (from, to) => Buffer.compare(before.subarray(from, to), after.subarray(from, to)) !== 0,
  };
}
