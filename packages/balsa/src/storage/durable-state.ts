import { entryRecordBytes } from "../codec/index.js";
import {
  EMPTY_SNAPSHOT,
  type Entry,
  type HardState,
  type Snapshot,
  type SnapshotMeta,
  StorageError,
} from "../core/index.js";
import type { RecoveredDirectory } from "./directory-recovery.js";
import type { EntryIndex, LogPlace } from "./entry-index.js";
import { EntryPages } from "./entry-pages.js";
import { EntryTail } from "./entry-tail.js";
import { WARM_BYTES_MAX } from "./limits.js";
import type { LogWrite } from "./pending-batch.js";

const NO_DATA: Uint8Array = new Uint8Array(0);
const NO_ENTRIES: readonly Entry[] = [];
/** Thrown often, by design: one for all, without the cost of a stack trace each time. */
const NOT_IN_MEMORY = new StorageError("entries-temporarily-unavailable");

/** The share of the cache that what was read back from disk may have, above what the newest entries leave to it. */
const PAGES_SHARE = 0.25;

/**
 * What is durable: reads are answered from it. Of all entries the index is in memory; the entries themselves as far as
 * the cache holds them, the newest always first.
 */
export class DurableState {
  readonly index: EntryIndex;
  readonly #tail: EntryTail;
  readonly #pages: EntryPages;
  #hardState: HardState;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;

  constructor(recovered: RecoveredDirectory, cacheBytes: number) {
    const { log, snapshot } = recovered;
    this.index = log.index;
    const pagesBytes = Math.floor(cacheBytes * PAGES_SHARE);
    this.#tail = new EntryTail(cacheBytes - pagesBytes);
    this.#pages = new EntryPages(pagesBytes);
    if (snapshot !== undefined) this.#snapshot = { meta: snapshot, data: NO_DATA };
    this.#hardState = log.hardState;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Of the records of all entries that are not compacted. */
  get logBytes(): number {
    return this.index.recordBytes;
  }

  /** Of entries in memory. */
  get cachedBytes(): number {
    return this.#tail.bytes + this.#pages.bytes;
  }

  /** Entries below are not in memory, unless they were read back; lastIndex + 1 when none is. */
  get tailIndex(): number {
    return this.#tail.firstIndex ?? this.index.lastIndex + 1;
  }

  /** As core's Storage. */
  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] {
    if (lo < this.index.firstIndex) throw new StorageError("compacted");
    if (hi > this.index.lastIndex + 1) throw new StorageError("unavailable");
    if (lo >= hi) return NO_ENTRIES;
    const found = this.#tail.slice(lo, hi, maxBytes) ?? this.#pages.slice(lo, hi, maxBytes);
    if (found === undefined) throw NOT_IN_MEMORY;
    return found;
  }

  hasInMemory(index: number): boolean {
    return index >= this.tailIndex || this.#pages.slice(index, index + 1, 1) !== undefined;
  }

  /** Entries that were read back. */
  addPage(entries: readonly Entry[]): void {
    this.#pages.add(entries);
  }

  /** The newest entries, read back when the log was opened, in order. */
  warm(entries: readonly Entry[]): void {
    this.#tail.push(entries);
  }

  get warmBytes(): number {
    return Math.min(this.#tail.bytesMax, WARM_BYTES_MAX);
  }

  /** A write has become durable. @param place of its first entry's record; the others follow it */
  take(write: LogWrite, place: LogPlace): void {
    const { hardState, entries, snapshot } = write;
    if (snapshot !== undefined) {
      const { index, term } = snapshot.meta;
      if (index <= this.#snapshot.meta.index) throw new StorageError("snapshot-out-of-date");
      this.#snapshot = snapshot;
      this.index.reset(index, term);
      this.#tail.clear();
      this.#pages.dropTo(Number.POSITIVE_INFINITY);
    }
    if (entries.length > 0) this.#takeEntries(entries, place);
    if (hardState !== undefined) this.#hardState = hardState;
  }

  /** A snapshot's file is in its place: it becomes the current one if the log says that it is of its own past. */
  takeSnapshot(meta: SnapshotMeta): boolean {
    const { index: log } = this;
    const isKnown = meta.index >= log.firstIndex - 1 && meta.index <= log.lastIndex;
    if (meta.index <= this.#snapshot.meta.index || !isKnown || log.term(meta.index) !== meta.term) return false;
    this.#snapshot = { meta, data: NO_DATA };
    return true;
  }

  compact(index: number): void {
    this.index.compact(index);
    this.#tail.dropTo(index);
    this.#pages.dropTo(index);
  }

  #takeEntries(entries: readonly Entry[], { segment, position }: LogPlace): void {
    const { index: log } = this;
    const kept = log.firstIndex;
    let at = position;
    let passedOver = 0;
    for (const entry of entries) {
      const recordBytes = entryRecordBytes(entry);
      // What lies within the compacted part is committed, and the same.
      if (entry.index >= kept) log.append(entry.index, entry.term, segment, at, recordBytes);
      else passedOver++;
      at += recordBytes;
    }
    const taken = passedOver === 0 ? entries : entries.slice(passedOver);
    const [first] = taken;
    if (first === undefined) return;
    this.#pages.cutFrom(first.index);
    this.#tail.push(taken);
  }
}
