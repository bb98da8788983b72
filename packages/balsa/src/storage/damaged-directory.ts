import type { HardState, SnapshotMeta } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { FileSystem, Lock } from "../platform/index.js";
import { corruption, type Damage, isNotFound, storageFailure } from "./corruption.js";
import { type DataPaths, dataPaths, listIfThere, makeDurableDir, segmentPath, snapshotPath } from "./data-directory.js";
import { holdsMember, noData } from "./directory-filling.js";
import { lockDirectory } from "./directory-lock.js";
import { type DirectorySalvage, salvageDirectory } from "./directory-salvage.js";
import type { DiskStorageOptions } from "./disk-storage.js";
import { type Identity, loadIdentity, matchIdentity } from "./identity.js";
import { rewriteLog } from "./log-rewrite.js";
import type { SalvagedLog } from "./salvaged-log.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import type { SnapshotReceiver } from "./snapshot-receiver.js";
import { SnapshotStore } from "./snapshot-store.js";

/**
 * A data directory that DiskStorage refuses, held to be repaired: what is left of it is in `log`, to be completed with
 * what peers have; `rewrite` then makes it a sound one. Until that moment nothing that is there is changed, so that it
 * can be interrupted anywhere and begun again. docs/repair.md.
 */
export class DamagedDirectory {
  readonly identity: Identity;
  /** As found when it was opened. */
  readonly damages: readonly Damage[];
  /** To be completed. */
  readonly log: SalvagedLog;
  readonly #files: FileSystem;
  readonly #paths: DataPaths;
  readonly #found: DirectorySalvage;
  readonly #snapshots: SnapshotStore;
  readonly #lock: Lock;
  #snapshot: SnapshotMeta | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    options: DiskStorageOptions,
    paths: DataPaths,
    identity: Identity,
    found: DirectorySalvage,
    lock: Lock,
  ) {
    const { files, logger } = options.platform;
    this.identity = identity;
    this.damages = found.damages;
    this.log = found.log;
    this.#files = files;
    this.#paths = paths;
    this.#found = found;
    this.#lock = lock;
    this.#snapshot = found.snapshot;
    const sound = found.snapshot === undefined ? [] : [found.snapshot];
    const survey = { sound, damaged: [], temporaries: found.unfinishedSnapshots };
    const current = found.snapshot ?? { index: 0, term: 0 };
    this.#snapshots = new SnapshotStore(files, paths, identity, logger, survey, current);
    this.#snapshots.removeLeftovers(survey);
  }

  /**
   * Locks the directory and reads all that is in it.
   * @throws BalsaError `locked`, `identity-mismatch`, `corrupt` (the identity itself), `storage-failed`; `invalid-argument`: it
   * holds no member's data, or what was to be removed when its emptying broke off
   */
  static async open(options: DiskStorageOptions): Promise<DamagedDirectory> {
    const { platform, dir, expect } = options;
    const { files } = platform;
    const paths = dataPaths(dir);
    try {
      const lock = await lockDirectory(files, paths);
      try {
        if (!(await holdsMember(files, paths))) throw noData(dir);
        const identity = await loadIdentity(files, paths.identity);
        matchIdentity(dir, identity, expect);
        const found = await salvageDirectory(files, paths, identity);
        return new DamagedDirectory(options, paths, identity, found, lock);
      } catch (cause) {
        await lock.release();
        throw cause;
      }
    } catch (cause) {
      throw storageFailure(`opening ${dir}`, cause);
    }
  }

  /** What it goes on from came from another member before a crash, and stands for more than the log had. */
  get isSnapshotAhead(): boolean {
    return this.#found.isSnapshotAhead;
  }

  /** The newest sound snapshot, its own or one received since; undefined = none. */
  get snapshot(): SnapshotMeta | undefined {
    return this.#snapshot;
  }

  /** What an operator has to know, of the first damage. */
  error(): BalsaError {
    const [first] = this.#found.damages;
    return first === undefined ? new BalsaError("corrupt", "the directory is damaged") : corruption(first);
  }

  /** @throws BalsaError `invalid-argument` (there is none), `corrupt`, `storage-failed` */
  openSnapshot(): Promise<SnapshotReader> {
    if (this.#snapshot === undefined) throw new BalsaError("invalid-argument", "no snapshot of it is sound");
    return this.#snapshots.open(this.#snapshot);
  }

  /** As `DiskStorage.receiveSnapshot`; once finished it becomes what the log goes on from by `beginBehind`. */
  receiveSnapshot(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    return this.#snapshots.receive(meta);
  }

  /** A snapshot that was received is in its place. Any member's will do: it is of a committed prefix. */
  beginBehind(meta: SnapshotMeta): void {
    if (meta.index <= (this.#snapshot?.index ?? 0) || !this.#snapshots.has(meta)) return;
    this.#snapshot = meta;
    this.#snapshots.setCurrent(meta);
    this.log.beginBehind(meta);
  }

  /**
   * Writes the log, which is whole by now, anew; then puts the damaged files aside. DiskStorage opens it afterwards.
   * @throws BalsaError `storage-failed`, `too-large`
   */
  async rewrite(hardState: HardState): Promise<void> {
    invariant(this.log.isWhole, "a log is rewritten once nothing of it is lost");
    const snapshot = this.#snapshot ?? { index: 0, term: 0 };
    const entries = this.log.entries();
    const commit = Math.max(snapshot.index, Math.min(hardState.commit, snapshot.index + entries.length));
    const { nextSegment } = this.#found;
    try {
      const image = { hardState: { ...hardState, commit }, snapshot, entries };
      await rewriteLog(this.#files, this.#paths, this.identity, nextSegment, image);
      await this.#setAside();
    } catch (cause) {
      throw storageFailure("repairing the log", cause);
    }
  }

  /** Lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#snapshots.close().then(() => this.#lock.release());
    return this.#closing;
  }

  /**
   * The files with damage, as evidence. Of one repair only, so that they take up no more than the log once more. What
   * is not moved, because a crash came in between, is an old segment as any other, and removed by the next open.
   */
  async #setAside(): Promise<void> {
    const { setAside } = this.#paths;
    const earlier = (await listIfThere(this.#files, setAside)) ?? [];
    for (const name of earlier) await this.#files.remove(`${setAside}/${name}`);
    await makeDurableDir(this.#files, setAside);
    const { damagedSegments, damagedSnapshots } = this.#found;
    for (const segment of damagedSegments) await this.#move(segmentPath(this.#paths, segment));
    for (const name of damagedSnapshots) {
      // A sound one may have come in its place.
      if (!this.#snapshots.has(name)) await this.#move(snapshotPath(this.#paths, name));
    }
    for (const path of [this.#paths.log, this.#paths.snapshots, setAside]) await this.#files.syncDir(path);
  }

  async #move(path: string): Promise<void> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    try {
      await this.#files.rename(path, `${this.#paths.setAside}/${name}`);
    } catch (cause) {
      // Missing files are damage, too.
      if (!isNotFound(cause)) throw cause;
    }
  }
}
