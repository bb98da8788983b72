import type { File, FileSystem, Lock } from "../../src/platform/index.js";
import { FileError } from "../../src/platform/index.js";
import { type Prng, SimDisk } from "../../src/sim/index.js";

type DiskFile = ReturnType<SimDisk["open"]>;
type Operation = ReturnType<DiskFile["write"]>;

/** Something that the disk will show, or keep, from now on. */
export interface Effect {
  readonly kind: "makeDir" | "create" | "rename" | "remove" | "syncDir" | "write" | "truncate" | "sync" | "failed sync";
  readonly path: string;
}

export interface RecordedFilesOptions {
  /** Called after each effect: a moment at which the power may go. */
  readonly onEffect?: ((effect: Effect) => void) | undefined;
  /** Draws how late each call is answered; without it they are answered at once. */
  readonly pace?: Prng | undefined;
}

/** So many turns of the microtask queue a call is answered later, at the most; and one in so many takes long. */
const LATENESS_MAX = 6;
const LONG_LATENESS_MAX = 60;
const LONG_ODDS = 1 / 16;

export type CallKind =
  | "makeDir"
  | "list"
  | "open"
  | "rename"
  | "remove"
  | "syncDir"
  | "lock"
  | "sizeBytes"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "writeAndSync:write"
  | "writeAndSync:sync"
  | "close";

/**
 * The simulator's disk behind a file system that tells of each effect, answers soon, and fails where it is told to. What
 * a call does shows at once; what a sync makes durable it does when it is answered. After a failed sync programs go on
 * seeing what they wrote, and no later sync writes it.
 */
export class RecordedFiles implements FileSystem {
  readonly disk: SimDisk;
  /** What was done to the disk. */
  readonly journal: Effect[] = [];
  /** Asked before each call: an error to fail with. A write that fails has written half of it. */
  fault: ((kind: CallKind, path: string) => FileError | undefined) | undefined;
  /** Its process is dead: nothing has an effect any more, and no call is answered. */
  isDead = false;
  readonly #options: RecordedFilesOptions;
  readonly #locks = new Set<string>();

  constructor(disk: SimDisk = new SimDisk(), options: RecordedFilesOptions = {}) {
    this.disk = disk;
    this.#options = options;
  }

  makeDir(path: string): Promise<void> {
    return this.#change("makeDir", path, () => this.disk.makeDir(path));
  }

  list(path: string): Promise<readonly string[]> {
    return this.call("list", path, () => this.disk.list(path));
  }

  open(path: string, mode: "read" | "write" | "create"): Promise<File> {
    return this.call("open", path, () => {
      const file = this.disk.open(path, mode);
      if (mode === "create") this.tell("create", path);
      return new RecordedFile(this, path, file);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change("rename", from, () => this.disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#change("remove", path, () => this.disk.remove(path));
  }

  async syncDir(path: string): Promise<void> {
    const covered = await this.call("syncDir", path, () => this.disk.beginSyncDir(path));
    this.disk.endSyncDir(covered);
    this.tell("syncDir", path);
  }

  lock(path: string): Promise<Lock> {
    return this.call("lock", path, () => {
      this.disk.requireParent(path);
      if (this.#locks.has(path)) throw new FileError("locked", path, `${path} is locked`);
      this.#locks.add(path);
      return {
        release: () => {
          this.#locks.delete(path);
          return Promise.resolve();
        },
      };
    });
  }

  /** The work is done at once, unless the call is to fail, and answered later, unless the process is dead by then. */
  async call<Result>(kind: CallKind, path: string, work: () => Result): Promise<Result> {
    if (this.isDead) return new Promise(() => {});
    const error = this.fault?.(kind, path);
    if (error !== undefined) throw error;
    const result = work();
    await this.later();
    return result;
  }

  /** The time that a call takes; never over for a process that is dead. */
  async later(): Promise<void> {
    const { pace } = this.#options;
    if (pace !== undefined) {
      const most = pace.chance(LONG_ODDS) ? LONG_LATENESS_MAX : LATENESS_MAX;
      for (let turns = pace.below(most + 1); turns > 0; turns--) await Promise.resolve();
    }
    if (this.isDead) return new Promise(() => {});
  }

  tell(kind: Effect["kind"], path: string): void {
    const effect = { kind, path };
    this.journal.push(effect);
    this.#options.onEffect?.(effect);
  }

  #change(kind: "makeDir" | "rename" | "remove", path: string, work: () => void): Promise<void> {
    return this.call(kind, path, () => {
      work();
      this.tell(kind, path);
    });
  }
}

class RecordedFile implements File {
  readonly path: string;
  readonly #files: RecordedFiles;
  readonly #file: DiskFile;
  #isClosed = false;

  constructor(files: RecordedFiles, path: string, file: DiskFile) {
    this.#files = files;
    this.path = path;
    this.#file = file;
  }

  sizeBytes(): Promise<number> {
    return this.#files.call("sizeBytes", this.path, () => this.#file.sizeBytes);
  }

  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#files.call("read", this.path, () => this.#file.read(position, lengthBytes));
  }

  async write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    if (this.#files.isDead) return new Promise(() => {});
    const operation = this.#writeNow("write", position, buffers);
    await this.#files.later();
    operation.completed = true;
  }

  async truncate(sizeBytes: number): Promise<void> {
    const operation = await this.#files.call("truncate", this.path, () => {
      const resizing = this.#file.resize(this.#files.disk.nextSequence(), sizeBytes);
      this.#files.tell("truncate", this.path);
      return resizing;
    });
    operation.completed = true;
  }

  async sync(): Promise<void> {
    const covered = this.#file.beginSync();
    try {
      await this.#files.call("sync", this.path, () => {});
    } catch (error) {
      this.#endSync(covered, true);
      throw error;
    }
    this.#endSync(covered, false);
  }

  writeAndSync(position: number, buffers: readonly Uint8Array[], done: (error: FileError | undefined) => void): void {
    if (this.#files.isDead) return;
    // Answered not before it returns, and not before the power may have gone in between.
    try {
      this.#writeNow("writeAndSync:write", position, buffers).completed = true;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      void this.#files.later().then(() => done(error));
      return;
    }
    let failure = this.#files.fault?.("writeAndSync:sync", this.path);
    if (failure?.code === "full") failure = new FileError("io", this.path, failure.message, failure);
    const covered = this.#file.beginSync();
    void this.#files.later().then(() => {
      this.#endSync(covered, failure !== undefined);
      done(failure);
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#files.call("close", this.path, () => {});
  }

  #writeNow(kind: CallKind, position: number, buffers: readonly Uint8Array[]): Operation {
    if (this.#isClosed) throw new FileError("closed", this.path, `${this.path} is closed`);
    const bytes = joined(buffers);
    const injected = this.#files.fault?.(kind, this.path);
    const room = this.#files.disk.roomFor(this.#file, position, bytes.length);
    const isShort = room < bytes.length;
    const error = injected ?? (isShort ? new FileError("full", this.path, "no room left on the disk") : undefined);
    const reached = Math.min(room, injected === undefined ? bytes.length : bytes.length >>> 1);
    const written = bytes.slice(0, reached);
    const operation = this.#file.write(this.#files.disk.nextSequence(), position, written);
    this.#files.tell("write", this.path);
    if (error === undefined) return operation;
    operation.completed = true;
    throw error;
  }

  #endSync(covered: ReturnType<DiskFile["beginSync"]>, hasFailed: boolean): void {
    if (hasFailed) this.#file.failSync(covered);
    else this.#file.endSync(covered);
    this.#files.tell(hasFailed ? "failed sync" : "sync", this.path);
  }
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(buffers.reduce((sum, buffer) => sum + buffer.length, 0));
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes;
}
