import { entryRecordBytes } from "../codec/index.js";
import type { Entry, HardState, Snapshot, SnapshotMeta, Storage } from "../core/index.js";
import { BalsaError, invariant, MemoryStorage, type ConfState } from "../core/index.js";
import type { FileSystem, Lock, Logger, Platform } from "../platform/index.js";
import { FileError } from "../platform/index.js";
import { isNotFound, storageFailure } from "./corruption.js";
import { type DataPaths, dataPaths, listIfThere, makeDurableDir, segmentPath, snapshotPath } from "./data-directory.js";
import { createDirectory } from "./directory-creation.js";
import { type RecoveredDirectory, recoverDirectory } from "./directory-recovery.js";
import { checkName, type ExpectedIdentity, type Identity, loadIdentity, matchIdentity } from "./identity.js";
import { SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN } from "./limits.js";
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
}

/**
 * Stable storage: a write-ahead log and a snapshot store in one directory. Reads are answered from memory, which holds
 * what is durable and nothing else. On disk: docs/storage-format.md.
 */
export class DiskStorage implements Storage {
  readonly identity: Identity;
  readonly #memory: MemoryStorage;
  readonly #log: WriteAheadLog;
  readonly #snapshots: SnapshotStore;
  readonly #lock: Lock;
  #logBytes = 0;
  #closing: Promise<void> | undefined;

  /**
   * Locks the directory, recovers what is in it, and makes that durable anew.
   * @throws BalsaError `locked`, `identity-mismatch`, `corrupt` (file, offset, index and term), `invalid-argument` (no
   * data to open, or no place to make a new directory), `storage-failed`. Nothing is changed then.
   */
  static async open(options: DiskStorageOptions): Promise<DiskStorage> {
    const { platform, dir, expect } = options;
    checkOptions(options);
    const paths = dataPaths(dir);
    try {
      if (expect.kind === "bootstrap") await makeDurableDir(platform.files, dir);
      else if ((await listIfThere(platform.files, dir)) === undefined) throw noData(dir);
      const lock = await lockDirectory(platform.files, paths);
      try {
        return await openLocked(options, paths, lock);
      } catch (cause) {
        await lock.release();
        throw cause;
      }
    } catch (cause) {
      throw storageFailure(`opening ${dir}`, cause);
    }
  }

  /** `open` is the way in. @internal */
  constructor(parts: {
    readonly identity: Identity;
    readonly memory: MemoryStorage;
    readonly snapshots: SnapshotStore;
    readonly lock: Lock;
    readonly openLog: (onDurable: (write: LogWrite) => void) => WriteAheadLog;
  }) {
    this.identity = parts.identity;
    this.#memory = parts.memory;
    this.#snapshots = parts.snapshots;
    this.#lock = parts.lock;
    this.#log = parts.openLog((write) => this.#durable(write));
    this.#logBytes = this.#recordBytes(this.firstIndex(), this.lastIndex());
  }
}
