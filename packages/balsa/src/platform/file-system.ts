export type FileErrorCode = "not-found" | "exists" | "full" | "io" | "locked" | "too-many-open" | "denied" | "closed";

/** The one error of `FileSystem` and `File`. */
export class FileError extends Error {
  readonly code: FileErrorCode;
  readonly path: string;
  constructor(code: FileErrorCode, path: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "FileError";
    this.code = code;
    this.path = path;
  }
}

/**
 * Files, as everything above the platform sees them. Small, since the simulator implements it too; no streams.
 * Paths use "/". Every promise is a platform promise: it settles in a turn of its own. Rejections are `FileError`.
 */
export interface FileSystem {
  /** Creates the directory and its missing parents. */
  makeDir(path: string): Promise<void>;
  /** Names in a directory, sorted; not its subdirectories' content. */
  list(path: string): Promise<readonly string[]>;
  /** `read`: must exist. `write`: must exist, kept as it is. `create`: must not exist. A directory is `io`. */
  open(path: string, mode: "read" | "write" | "create"): Promise<File>;
  /** Replaces `to` if it exists. Durable once the directories are synced. */
  rename(from: string, to: string): Promise<void>;
  /** Files only. */
  remove(path: string): Promise<void>;
  /**
   * Makes creations, renames and removals in the directory durable. Never `full`: a sync that finds no room is `io`, since
   * what it was to write may be lost.
   */
  syncDir(path: string): Promise<void>;
  /**
   * Excludes every other holder, in this process or another, until released or until this process ends in whatever way.
   * Rejects with `locked`. The path's directory must exist; there may come to be files in it whose names begin as the
   * path does.
   */
  lock(path: string): Promise<Lock>;
}

export interface Lock {
  release(): Promise<void>;
}

export interface File {
  readonly path: string;
  sizeBytes(): Promise<number>;
  /** Fewer than `lengthBytes` only at the end of the file. The bytes are the caller's to keep. */
  read(position: number, lengthBytes: number): Promise<Uint8Array>;
  /** Loops on short counts; not durable before a sync. The buffers must not change until it settles. */
  write(position: number, buffers: readonly Uint8Array[]): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** Data, and what is needed to read it back (the size). Never `full`, as `FileSystem.syncDir`. */
  sync(): Promise<void>;
  /**
   * The hot path: writes the buffers one after the other from `position`, syncs, then calls `done`, never before it
   * returns. At most one a file at a time. `full`: the write found no room and nothing was synced; what lies from
   * `position` on is unknown, all else is as it was, and the file may be used further. After any other error, a sync that
   * finds no room among them, the file's content is unknown and it must not be used again.
   */
  writeAndSync(position: number, buffers: readonly Uint8Array[], done: (error: FileError | undefined) => void): void;
  /** Waits for what is under way; everything called after it is refused as `closed`. */
  close(): Promise<void>;
}
