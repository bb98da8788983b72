import type { ConfState, Entry, HardState, Snapshot, SnapshotMeta, Storage } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { Lock, Logger, Platform } from "../platform/index.js";
import { storageFailure } from "./corruption.js";
import { type DataPaths, dataPaths, listIfThere, makeDurableDir, syncNames } from "./data-directory.js";
import { fillDirectory, noData } from "./directory-filling.js";
import { lockDirectory } from "./directory-lock.js";
import { type RecoveredDirectory, recoverDirectory } from "./directory-recovery.js";
import { DurableState } from "./durable-state.js";
import { EntryReader } from "./entry-reader.js";
import { ENTRY_OVERHEAD_BYTES } from "./held-bytes.js";
import { checkName, type ExpectedIdentity, type Identity, loadIdentity, matchIdentity } from "./identity.js";
import {
  ENTRY_CACHE_BYTES_DEFAULT,
  READ_BACK_BYTES_MAX,
  SEGMENT_BYTES_DEFAULT,
  SEGMENT_BYTES_MAX,
  SEGMENT_BYTES_MIN,
} from "./limits.js";
import type { LogWrite, WriteDone } from "./pending-batch.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import type { SnapshotReceiver } from "./snapshot-receiver.js";
import { SnapshotStore } from "./snapshot-store.js";
import type { SnapshotWriter } from "./snapshot-writer.js";
import { WriteAheadLog } from "./write-ahead-log.js";

export interface DiskStorageOptions {
  readonly platform: Pick<Platform, "clock" | "files" | "random" | "logger">;
  /** The data directory, this member's alone. */
  readonly dir: string;
  readonly expect: ExpectedIdentity;
  /** A segment of the log is closed when it would grow above this. Default 64 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Whether a terminator ends what is written of the log. Default true; an earlier version knew none. */
  readonly isTerminated?: boolean | undefined;
  /** Entries before the newest snapshot that are still there after opening, if they were not released. Default 0. */
  readonly keepEntries?: number | undefined;
  /** Entries that are held in memory, at the most; the others are read back from the log when needed. Default 32 MiB. */
  readonly cacheBytes?: number | undefined;
}

/**
 * Stable storage: a write-ahead log and a snapshot store in one directory. Reads are answered from memory, which holds
 * what is durable and nothing else: of each entry its term and place, and the newest entries themselves. Older ones are
 * fetched from disk on demand. On disk: docs/storage-format.md.
 */
export class DiskStorage implements Storage {
  readonly identity: Identity;
  readonly #state: DurableState;
  readonly #log: WriteAheadLog;
  readonly #snapshots: SnapshotStore;
  readonly #lock: Lock;
  readonly #reader: EntryReader;
  readonly #logger: Logger;
  /** Reads of entries that are under way. */
  readonly #fetches: Set<Promise<void>> = new Set();
  #closing: Promise<void> | undefined;

  private constructor(
    identity: Identity,
    state: DurableState,
    log: WriteAheadLog,
    snapshots: SnapshotStore,
    lock: Lock,
    reader: EntryReader,
    logger: Logger,
  ) {
    this.identity = identity;
    this.#state = state;
    this.#log = log;
    this.#snapshots = snapshots;
    this.#lock = lock;
    this.#reader = reader;
    this.#logger = logger;
  }

  /**
   * Locks the directory, recovers what is in it, and makes that durable anew.
   * @throws BalsaError `locked`, `identity-mismatch`, `corrupt` (file, offset, index and term), `invalid-argument` (no
   * data to open, or no place to make a new directory), `storage-failed`
   */
  static async open(options: DiskStorageOptions): Promise<DiskStorage> {
    const { dir, expect } = options;
    const { files } = options.platform;
    checkOptions(options);
    try {
      if (expect.kind !== "existing") await makeDurableDir(files, dir);
      else if ((await listIfThere(files, dir)) === undefined) throw noData(dir);
      const paths = dataPaths(dir);
      const lock = await lockDirectory(files, paths);
      try {
        return await DiskStorage.#openLocked(options, paths, lock);
      } catch (cause) {
        await lock.release();
        throw cause;
      }
    } catch (cause) {
      throw storageFailure(`opening ${dir}`, cause);
    }
  }

  static async #openLocked(options: DiskStorageOptions, paths: DataPaths, lock: Lock): Promise<DiskStorage> {
    const { platform, dir, expect } = options;
    const { files, logger } = platform;
    await fillDirectory(platform, paths, expect);
    const identity = await loadIdentity(files, paths.identity);
    matchIdentity(dir, identity, expect);

    const recovered = await recoverDirectory(files, paths, identity, options.keepEntries ?? 0);
    report(logger, recovered);
    await syncNames(files, paths);
    const { log, survey } = recovered;
    const state = new DurableState(recovered, options.cacheBytes ?? ENTRY_CACHE_BYTES_DEFAULT);
    const snapshots = new SnapshotStore(files, paths, identity, logger, survey, log.snapshot);
    const wal = await WriteAheadLog.open(
      {
        platform,
        paths,
        identity,
        segmentBytes: options.segmentBytes ?? SEGMENT_BYTES_DEFAULT,
        isTerminated: options.isTerminated,
        onDurable: (write, place) => {
          state.take(write, place);
          if (write.snapshot !== undefined) snapshots.setCurrent(write.snapshot.meta);
        },
      },
      log,
    );
    snapshots.removeLeftovers(survey);
    const reader = new EntryReader(files, paths, identity.group, state.index);
    const storage = new DiskStorage(identity, state, wal, snapshots, lock, reader, logger);
    await storage.#warmUp();
    return storage;
  }

  // Core's read side (A1).

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    const { hardState, snapshot } = this.#state;
    return { hardState, confState: snapshot.meta.confState };
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] {
    return this.#state.entries(lo, hi, maxBytes);
  }

  term(i: number): number {
    return this.#state.index.term(i);
  }

  firstIndex(): number {
    return this.#state.index.firstIndex;
  }

  lastIndex(): number {
    return this.#state.index.lastIndex;
  }

  snapshot(): Snapshot {
    return this.#state.snapshot;
  }

  // Entries that are not in memory.

  /** Of the entries that are in memory, with all they keep alive. */
  get cachedBytes(): number {
    return this.#state.cachedBytes;
  }

  /**
   * Reads entries from `from` on, and below `to`, back into memory: as many as one bounded read gives, one at the least.
   * `entries` then answers with them until others take their place, so they should be asked for at once. Resolves also
   * where the entry is not there any more: asking `entries` again tells.
   * @throws BalsaError `corrupt` (an entry behind the snapshot is damaged; with file, offset, index and term),
   * `storage-failed`
   */
  async fetchEntries(from: number, to: number): Promise<void> {
    if (this.#closing !== undefined) throw new BalsaError("closed", "the storage is closed");
    const fetch = this.#fetch(from, to);
    this.#fetches.add(fetch);
    try {
      await fetch;
    } finally {
      this.#fetches.delete(fetch);
    }
  }

  async #fetch(from: number, to: number): Promise<void> {
    const state = this.#state;
    if (from < this.firstIndex() || from > this.lastIndex() || state.hasInMemory(from)) return;
    const { cuts } = state.index;
    const entries = await this.#readBack(from, Math.min(to, state.tailIndex));
    // Others may have taken their places since they were read.
    if (state.index.cuts === cuts) state.addPage(entries);
  }

  async #readBack(from: number, to: number): Promise<readonly Entry[]> {
    try {
      return await this.#reader.read(from, to, READ_BACK_BYTES_MAX);
    } catch (cause) {
      const snapshotIndex = this.snapshot().meta.index;
      const isDamage = cause instanceof BalsaError && cause.code === "corrupt";
      if (!isDamage || from > snapshotIndex || this.#closing !== undefined) throw cause;
      // All that the snapshot holds is still known, and whoever is behind will get that. Its files stay: evidence.
      this.#logger.log("error", "the log is damaged before the snapshot; it begins behind that now", {
        damage: cause.message,
        snapshot: snapshotIndex,
      });
      if (this.firstIndex() <= snapshotIndex) this.#state.compact(snapshotIndex);
      return [];
    }
  }

  /** The newest entries come into memory, as if they had just been written. */
  async #warmUp(): Promise<void> {
    const { index, warmBytes } = this.#state;
    let bytes = 0;
    let from = index.lastIndex + 1;
    for (; from > index.firstIndex; from--) {
      bytes += index.recordBytesOf(from - 1) + ENTRY_OVERHEAD_BYTES;
      if (bytes > warmBytes) break;
    }
    while (from <= index.lastIndex) {
      const read = await this.#readBack(from, index.lastIndex + 1);
      this.#state.warm(read);
      from = Math.max(from + read.length, index.firstIndex);
    }
  }

  // The log.

  /** Bytes of the entries since the last compaction: tells when the next snapshot is due. */
  get logBytes(): number {
    return this.#state.logBytes;
  }

  /** `changed` is told when `isFull` has changed; it takes the place of an earlier one. */
  watchRoom(changed: (isFull: boolean) => void): void {
    this.#log.watchRoom(changed);
  }

  /**
   * `failed` is told, once, when the log has failed: the storage takes nothing any more, even if nobody waited for a write.
   * It takes the place of an earlier one.
   */
  watchFailure(failed: (error: BalsaError) => void): void {
    this.#log.watchFailure(failed);
  }

  /** There is hardly room for what is under way already: what is new had better be refused. Ends by itself. */
  get isFull(): boolean {
    return this.#log.isFull;
  }

  /**
   * Makes a write durable, in the order in which they come. One sync serves all that arrive while another runs. `done`
   * is called in a later turn, or at once where there is nothing to be synced or to wait for; with an error
   * (`storage-failed`, `closed`) the storage takes nothing any more, and whether the write will be there after a restart
   * is not known. Entries without a checksum get theirs.
   */
  append(write: LogWrite, done: WriteDone): void {
    const { snapshot } = write;
    invariant(
      snapshot === undefined || this.#snapshots.has(snapshot.meta),
      "a snapshot becomes current only when its file is in its place",
    );
    this.#log.append(write, done);
  }

  /**
   * Drops the entries up to and including `index`. Segments that held nothing else are released, but for what the oldest
   * snapshot that is kept needs behind it: should the newest turn out to be damaged, that one and the log stand in for it.
   * No effect on what is gone already.
   * @throws BalsaError `invalid-argument` (the newest durable snapshot does not reach that far)
   */
  compact(index: number): void {
    const snapshotIndex = this.snapshot().meta.index;
    if (index > snapshotIndex) {
      throw new BalsaError(
        "invalid-argument",
        `the log is kept behind index ${snapshotIndex}, the newest snapshot's; it can't be compacted to ${index}`,
      );
    }
    if (index < this.firstIndex()) return;
    this.#state.compact(index);
    this.#log.release(Math.min(index, this.#snapshots.oldestIndex));
  }

  // Snapshots.

  /**
   * A new snapshot, to be filled by `write` and finished by `commit`. It is then the current one, if its index and term
   * are in the log; one that is ahead of the log (a new cluster's first) becomes it by an append, as a received one.
   * @throws BalsaError `storage-failed`, `too-large`, `invalid-argument`; StorageError `snapshot-out-of-date`
   */
  createSnapshot(meta: SnapshotMeta, library: Uint8Array): Promise<SnapshotWriter> {
    return this.#snapshots.create(meta, library, () => {
      if (this.#state.takeSnapshot(meta)) this.#snapshots.setCurrent(meta);
    });
  }

  /**
   * A place for a peer's snapshot: pieces of its file by `write`, then `finish`. It becomes current only by an append.
   * @throws BalsaError `storage-failed`; StorageError `snapshot-out-of-date` (not newer than the current one)
   */
  receiveSnapshot(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    return this.#snapshots.receive(meta);
  }

  /**
   * @param meta the current one's by default
   * @throws BalsaError `invalid-argument` (it is not, or no longer, there), `corrupt`, `storage-failed`
   */
  openSnapshot(meta: SnapshotMeta = this.snapshot().meta): Promise<SnapshotReader> {
    return this.#snapshots.open(meta);
  }

  /** Finishes what was appended, and lets go of the directory. Snapshots that are open are their holders' to close. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    await this.#log.close();
    await Promise.allSettled(this.#fetches);
    await this.#snapshots.close();
    await this.#lock.release();
  }
}

function checkOptions(options: DiskStorageOptions): void {
  const { expect, segmentBytes = SEGMENT_BYTES_DEFAULT, cacheBytes = ENTRY_CACHE_BYTES_DEFAULT } = options;
  checkName(expect.name);
  if (!(segmentBytes >= SEGMENT_BYTES_MIN && segmentBytes <= SEGMENT_BYTES_MAX)) {
    throw new BalsaError(
      "invalid-argument",
      `segmentBytes is ${segmentBytes}; it must lie between ${SEGMENT_BYTES_MIN} and ${SEGMENT_BYTES_MAX}`,
    );
  }
  if (!(cacheBytes >= 0 && cacheBytes <= Number.MAX_SAFE_INTEGER)) {
    throw new BalsaError("invalid-argument", `cacheBytes is ${cacheBytes}; it must not be negative`);
  }
}

function report(logger: Logger, recovered: RecoveredDirectory): void {
  const { log, survey } = recovered;
  for (const { error } of survey.damaged) {
    logger.log("warn", "a damaged snapshot is not used", { damage: error.message, current: log.snapshot.index });
  }
  if (log.damagedBefore !== undefined) {
    logger.log("error", "the log is damaged before the snapshot; it begins behind that now", {
      damage: log.damagedBefore.message,
      snapshot: log.snapshot.index,
    });
  }
  if (log.torn !== undefined) {
    const { file, offset, reason } = log.torn;
    logger.log("warn", "the log ends in a torn write, which was never acknowledged; it is dropped", {
      file,
      offset,
      reason,
    });
  }
}
