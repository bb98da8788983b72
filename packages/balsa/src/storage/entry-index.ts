import { invariant, StorageError } from "../core/index.js";

/** Where in the log's files something is. */
export interface LogPlace {
  readonly segment: number;
  /** In the segment's file, in bytes. */
  readonly position: number;
}

/** Where an entry's record is, and how long. */
export interface RecordPlace extends LogPlace {
  readonly recordBytes: number;
}

/** Consecutive entries that have something in common: their term, their segment. Up to the next run's first. */
interface Run {
  readonly first: number;
  readonly value: number;
}

/** Entries of a chunk: 4 KiB of places, so that a short log is small and a long one has few chunks. */
const CHUNK_ENTRIES = 512;

interface Chunk {
  readonly positions: Uint32Array;
  readonly recordBytes: Uint32Array;
}

/**
 * What is known in memory of every entry of the log, whether or not the entry itself is: its term, and where on disk it
 * is. Eight bytes an entry, and what each change of term and of segment costs.
 */
export class EntryIndex {
  /** The log begins behind this index. */
  #baseIndex: number;
  #baseTerm: number;
  #lastIndex: number;
  /** Of the records of all entries. */
  #recordBytes = 0;
  /** Of entries [(firstChunk + i) × CHUNK_ENTRIES, …). */
  #chunks: Chunk[] = [];
  #firstChunk = 0;
  #terms: Run[] = [];
  #segments: Run[] = [];
  #cuts = 0;

  constructor(baseIndex: number, baseTerm: number) {
    this.#baseIndex = baseIndex;
    this.#baseTerm = baseTerm;
    this.#lastIndex = baseIndex;
  }

  get firstIndex(): number {
    return this.#baseIndex + 1;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  get recordBytes(): number {
    return this.#recordBytes;
  }

  /** How often entries gave way to others so far: who reads an entry from its place can tell whether it still may be it. */
  get cuts(): number {
    return this.#cuts;
  }

  /** @throws StorageError compacted, unavailable */
  term(i: number): number {
    if (i > this.#lastIndex) throw new StorageError("unavailable");
    if (i > this.#baseIndex) return valueAt(this.#terms, i);
    if (i < this.#baseIndex) throw new StorageError("compacted");
    return this.#baseTerm;
  }

  place(i: number): RecordPlace {
    return { segment: this.segmentOf(i), position: this.positionOf(i), recordBytes: this.recordBytesOf(i) };
  }

  segmentOf(i: number): number {
    invariant(i > this.#baseIndex && i <= this.#lastIndex, "only what is in the log has a place");
    return valueAt(this.#segments, i);
  }

  positionOf(i: number): number {
    return this.#chunkOf(i).positions[i % CHUNK_ENTRIES] as number;
  }

  recordBytesOf(i: number): number {
    return this.#chunkOf(i).recordBytes[i % CHUNK_ENTRIES] as number;
  }

  /** An entry that replaces whatever the log holds from its index on. */
  append(i: number, term: number, segment: number, position: number, recordBytes: number): void {
    invariant(i > this.#baseIndex && i <= this.#lastIndex + 1, "an entry leaves no gap in the log");
    if (i <= this.#lastIndex) this.#cutFrom(i);
    this.#lastIndex = i;
    const chunk = this.#chunkFor(i);
    chunk.positions[i % CHUNK_ENTRIES] = position;
    chunk.recordBytes[i % CHUNK_ENTRIES] = recordBytes;
    this.#recordBytes += recordBytes;
    if (this.#terms.at(-1)?.value !== term) this.#terms.push({ first: i, value: term });
    if (this.#segments.at(-1)?.value !== segment) this.#segments.push({ first: i, value: segment });
  }

  /** The entries from this place on, the log's last ones, are in another segment now, `shift` bytes from where they were. */
  moveFrom(from: LogPlace, segment: number, shift: number): void {
    let first = this.#lastIndex + 1;
    for (let i = this.#lastIndex; i > this.#baseIndex; i--) {
      const place = this.place(i);
      if (place.segment !== from.segment || place.position < from.position) break;
      this.#chunkOf(i).positions[i % CHUNK_ENTRIES] = place.position + shift;
      first = i;
    }
    if (first > this.#lastIndex) return;
    while ((this.#segments.at(-1)?.first ?? 0) >= first) this.#segments.pop();
    this.#segments.push({ first, value: segment });
  }

  /** Drops the entries up to and including `i`; its term is kept. */
  compact(i: number): void {
    const term = this.term(i);
    for (let dropped = this.firstIndex; dropped <= i; dropped++) this.#recordBytes -= this.recordBytesOf(dropped);
    this.#baseIndex = i;
    this.#baseTerm = term;
    if (i === this.#lastIndex) {
      this.reset(i, term);
      return;
    }
    this.#terms = runsFrom(this.#terms, i + 1);
    this.#segments = runsFrom(this.#segments, i + 1);
    const gone = Math.floor((i + 1) / CHUNK_ENTRIES) - this.#firstChunk;
    this.#chunks.splice(0, gone);
    this.#firstChunk += gone;
  }

  /** Nothing is left of the log; it goes on behind this index. */
  reset(baseIndex: number, baseTerm: number): void {
    this.#baseIndex = baseIndex;
    this.#baseTerm = baseTerm;
    this.#lastIndex = baseIndex;
    this.#recordBytes = 0;
    this.#chunks = [];
    this.#terms = [];
    this.#segments = [];
    this.#cuts++;
  }

  #cutFrom(i: number): void {
    for (let cut = i; cut <= this.#lastIndex; cut++) this.#recordBytes -= this.recordBytesOf(cut);
    this.#lastIndex = i - 1;
    this.#chunks.length = Math.max(0, Math.floor((i - 1) / CHUNK_ENTRIES) - this.#firstChunk + 1);
    while ((this.#terms.at(-1)?.first ?? 0) >= i) this.#terms.pop();
    while ((this.#segments.at(-1)?.first ?? 0) >= i) this.#segments.pop();
    this.#cuts++;
  }

  #chunkOf(i: number): Chunk {
    const chunk = this.#chunks[Math.floor(i / CHUNK_ENTRIES) - this.#firstChunk];
    invariant(chunk !== undefined, "every entry has its chunk");
    return chunk;
  }

  #chunkFor(i: number): Chunk {
    const number = Math.floor(i / CHUNK_ENTRIES);
    if (this.#chunks.length === 0) this.#firstChunk = number;
    const at = number - this.#firstChunk;
    const present = this.#chunks[at];
    if (present !== undefined) return present;
    const chunk = { positions: new Uint32Array(CHUNK_ENTRIES), recordBytes: new Uint32Array(CHUNK_ENTRIES) };
    this.#chunks.push(chunk);
    return chunk;
  }
}

/** Of the run that `i` is in: nearly always the last one. */
function valueAt(runs: readonly Run[], i: number): number {
  const run = runs[runAt(runs, i)];
  invariant(run !== undefined, "every entry is in a run");
  return run.value;
}

function runAt(runs: readonly Run[], i: number): number {
  let low = 0;
  let high = runs.length - 1;
  if ((runs[high]?.first ?? 0) <= i) return high;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((runs[middle] as Run).first <= i) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The runs without what lies before `first`. */
function runsFrom(runs: readonly Run[], first: number): Run[] {
  const kept = runs.slice(runAt(runs, first));
  const [front] = kept;
  if (front !== undefined) kept[0] = { first: Math.max(front.first, first), value: front.value };
  return kept;
}
