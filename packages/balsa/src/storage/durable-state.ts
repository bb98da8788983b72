import { entryRecordBytes } from "../codec/index.js";
import { MemoryStorage, type SnapshotMeta } from "../core/index.js";
import type { RecoveredDirectory } from "./directory-recovery.js";
import type { LogWrite } from "./pending-batch.js";

const NO_DATA: Uint8Array = new Uint8Array(0);

/** What is durable, in memory: reads are answered from it. */
export class DurableState {
  readonly memory: MemoryStorage = new MemoryStorage();
  /** Of the records of all entries that are not compacted. */
  #logBytes = 0;

  constructor(recovered: RecoveredDirectory) {
    const { log, snapshot } = recovered;
    if (snapshot !== undefined) this.memory.applySnapshot({ meta: snapshot, data: NO_DATA });
    this.memory.append(log.entries);
    this.memory.setHardState(log.hardState);
    this.#logBytes = this.#recordBytes(this.memory.firstIndex(), this.memory.lastIndex());
  }

  get logBytes(): number {
    return this.#logBytes;
  }

  /** A write has become durable. */
  take(write: LogWrite): void {
    const { hardState, entries, snapshot } = write;
    const { memory } = this;
    if (snapshot !== undefined) {
      memory.applySnapshot(snapshot);
      this.#logBytes = 0;
    }
    const first = entries[0];
    if (first !== undefined) {
      // As memory does: what lies within the compacted part is passed over.
      const kept = memory.firstIndex();
      this.#logBytes -= this.#recordBytes(Math.max(first.index, kept), memory.lastIndex());
      for (const entry of entries) if (entry.index >= kept) this.#logBytes += entryRecordBytes(entry);
      memory.append(entries);
    }
    if (hardState !== undefined) memory.setHardState(hardState);
  }

  /** A snapshot's file is in its place: it becomes the current one if the log says that it is of its own past. */
  takeSnapshot(meta: SnapshotMeta): boolean {
    const { memory } = this;
    const { index, term, confState } = meta;
    const isKnown = index >= memory.firstIndex() - 1 && index <= memory.lastIndex();
    if (index <= memory.snapshot().meta.index || !isKnown || memory.term(index) !== term) return false;
    memory.createSnapshot(index, confState, NO_DATA);
    return true;
  }

  compact(index: number): void {
    this.#logBytes -= this.#recordBytes(this.memory.firstIndex(), index);
    this.memory.compact(index);
  }

  #recordBytes(first: number, last: number): number {
    if (first > last) return 0;
    let bytes = 0;
    for (const entry of this.memory.entries(first, last + 1, Number.POSITIVE_INFINITY))
      bytes += entryRecordBytes(entry);
    return bytes;
  }
}
