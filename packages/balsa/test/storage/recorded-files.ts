import type { File, FileSystem, Lock } from "../../src/platform/index.js";
import { FileError } from "../../src/platform/index.js";
import { type CrashChoice, SimDisk } from "../../src/sim/index.js";

type DiskFile = ReturnType<SimDisk["open"]>;
type Operation = ReturnType<DiskFile["write"]>;

/** What was done to a disk, in order; notes of the test's own lie between. */
export type JournalStep =
  | { readonly kind: "makeDir" | "remove" | "syncDir"; readonly path: string }
  | { readonly kind: "rename"; readonly path: string; readonly to: string }
  | { readonly kind: "create"; readonly path: string; readonly file: number }
  | { readonly kind: "open"; readonly path: string; readonly file: number }
  | { readonly kind: "write"; readonly file: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly file: number; readonly sizeBytes: number }
  | { readonly kind: "sync"; readonly file: number }
  | { readonly kind: "note"; readonly note: unknown };

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
 * The simulator's disk behind a file system that answers at once, keeps a journal of what it did, and fails where it is
 * told to. From the journal every state that a crash could have left can be made. After a failed sync programs go on
 * seeing what they wrote, and no later sync writes it.
 */
export class RecordedFiles implements FileSystem {
  readonly disk: SimDisk;
  readonly journal: JournalStep[] = [];
  /** Asked before each call: an error to fail with. A write that fails has written half of it. */
  fault: ((kind: CallKind, path: string) => FileError | undefined) | undefined;
  /** Its process is dead: nothing has an effect any more, and no call is answered. */
  isDead = false;
  readonly #locks = new Set<string>();
  #files = 0;

  constructor(disk: SimDisk = new SimDisk()) {
    this.disk = disk;
  }

  /** A note in the journal. */
  note(note: unknown): void {
    this.journal.push({ kind: "note", note });
  }

  makeDir(path: string): Promise<void> {
    return this.call("makeDir", path, () => {
      this.journal.push({ kind: "makeDir", path });
      this.disk.makeDir(path);
    });
  }

  list(path: string): Promise<readonly string[]> {
    return this.call("list", path, () => this.disk.list(path));
  }

  open(path: string, mode: "read" | "write" | "create"): Promise<File> {
    return this.call("open", path, () => {
      const file = this.disk.open(path, mode);
      const id = this.#files++;
      this.journal.push({ kind: mode === "create" ? "create" : "open", path, file: id });
      return new RecordedFile(this, path, file, id);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.call("rename", from, () => {
      this.journal.push({ kind: "rename", path: from, to });
      this.disk.rename(from, to);
    });
  }

  remove(path: string): Promise<void> {
    return this.call("remove", path, () => {
      this.journal.push({ kind: "remove", path });
      this.disk.remove(path);
    });
  }

  syncDir(path: string): Promise<void> {
    return this.call("syncDir", path, () => {
      this.journal.push({ kind: "syncDir", path });
      this.disk.endSyncDir(this.disk.beginSyncDir(path));
    });
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

  async call<Result>(kind: CallKind, path: string, work: () => Result): Promise<Result> {
    if (this.isDead) return new Promise(() => {});
    const error = this.fault?.(kind, path);
    if (error !== undefined) throw error;
    return work();
  }
}

class RecordedFile implements File {
  readonly path: string;
  readonly #files: RecordedFiles;
  readonly #file: DiskFile;
  readonly #id: number;
  #isClosed = false;

  constructor(files: RecordedFiles, path: string, file: DiskFile, id: number) {
    this.#files = files;
    this.path = path;
    this.#file = file;
    this.#id = id;
  }

  sizeBytes(): Promise<number> {
    return this.#files.call("sizeBytes", this.path, () => this.#file.sizeBytes);
  }

  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#files.call("read", this.path, () => this.#file.read(position, lengthBytes));
  }

  async write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    if (this.#files.isDead) return new Promise(() => {});
    this.#writeNow("write", position, buffers);
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#files.call("truncate", this.path, () => {
      this.#files.journal.push({ kind: "truncate", file: this.#id, sizeBytes });
      this.#file.resize(this.#files.disk.nextSequence(), sizeBytes).completed = true;
    });
  }

  async sync(): Promise<void> {
    try {
      await this.#files.call("sync", this.path, () => this.#syncNow());
    } catch (error) {
      this.#file.failSync(this.#file.beginSync());
      throw error;
    }
  }

  writeAndSync(position: number, buffers: readonly Uint8Array[], done: (error: FileError | undefined) => void): void {
    if (this.#files.isDead) return;
    let failure: FileError | undefined;
    try {
      this.#writeNow("writeAndSync:write", position, buffers);
      failure = this.#files.fault?.("writeAndSync:sync", this.path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      failure = error;
    }
    // Not before it returns, and not before the crash points in between are in the journal.
    queueMicrotask(() => {
      if (this.#files.isDead) return;
      if (failure === undefined) this.#syncNow();
      else this.#file.failSync(this.#file.beginSync());
      done(failure);
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#files.call("close", this.path, () => {});
  }

  #writeNow(kind: CallKind, position: number, buffers: readonly Uint8Array[]): void {
    if (this.#isClosed) throw new FileError("closed", this.path, `${this.path} is closed`);
    const error = this.#files.fault?.(kind, this.path);
    const bytes = joined(buffers);
    const written = error === undefined ? bytes : bytes.slice(0, bytes.length >>> 1);
    this.#files.journal.push({ kind: "write", file: this.#id, position, bytes: written });
    complete(this.#file.write(this.#files.disk.nextSequence(), position, written.slice()));
    if (error !== undefined) throw error;
  }

  #syncNow(): void {
    this.#files.journal.push({ kind: "sync", file: this.#id });
    this.#file.endSync(this.#file.beginSync());
  }
}

/** The disk as a crash after these steps may have left it; they begin with an empty one, or with `disk`, which changes. */
export function crashedDisk(
  steps: readonly JournalStep[],
  choice: CrashChoice,
  disk: SimDisk = new SimDisk(),
): SimDisk {
  const files = new Map<number, DiskFile>();
  const fileOf = (id: number): DiskFile => {
    const file = files.get(id);
    if (file === undefined) throw new Error("the journal knows each file that it names");
    return file;
  };
  for (const step of steps) {
    switch (step.kind) {
      case "makeDir":
        disk.makeDir(step.path);
        break;
      case "remove":
        disk.remove(step.path);
        break;
      case "rename":
        disk.rename(step.path, step.to);
        break;
      case "syncDir":
        disk.endSyncDir(disk.beginSyncDir(step.path));
        break;
      case "create":
        files.set(step.file, disk.open(step.path, "create"));
        break;
      case "open":
        files.set(step.file, disk.open(step.path, "write"));
        break;
      case "write":
        complete(fileOf(step.file).write(disk.nextSequence(), step.position, step.bytes.slice()));
        break;
      case "truncate":
        complete(fileOf(step.file).resize(disk.nextSequence(), step.sizeBytes));
        break;
      case "sync":
        fileOf(step.file).endSync(fileOf(step.file).beginSync());
        break;
      case "note":
        break;
      default:
        step satisfies never;
    }
  }
  disk.crash(choice);
  return disk;
}

function complete(operation: Operation): void {
  operation.completed = true;
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
