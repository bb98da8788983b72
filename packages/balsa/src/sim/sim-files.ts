import type { File, FileSystem, Lock } from "../platform/index.js";
import { FileError } from "../platform/index.js";
import type { DiskAccess } from "./disk-access.js";
import { type DiskCallKind, normalPath } from "./sim-disk.js";
import { SimFile } from "./sim-file.js";
import { LateWord } from "./trace.js";

const nothing = (): void => {};

/** A process' files. What a call does shows on the disk at once, its answer comes later: a crash may come between. */
export class SimFiles implements FileSystem {
  readonly #access: DiskAccess;
  /** Held by this process; they die with it. */
  readonly #locks = new Set<string>();

  constructor(access: DiskAccess) {
    this.#access = access;
  }

  makeDir(path: string): Promise<void> {
    return this.#metadata("makeDir", path, "", () => {
      this.#access.disk.makeDir(path);
      return nothing;
    });
  }

  list(path: string): Promise<readonly string[]> {
    return this.#metadata("list", path, "", () => {
      const names = this.#access.disk.list(path);
      return () => names;
    });
  }

  open(path: string, mode: "read" | "write" | "create"): Promise<File> {
    return this.#metadata("open", path, ` ${mode}`, () => {
      const file = this.#access.disk.open(path, mode);
      return () => new SimFile(this.#access, path, file, mode !== "read");
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#metadata("rename", from, ` ${to}`, () => {
      this.#access.disk.rename(from, to);
      return nothing;
    });
  }

  remove(path: string): Promise<void> {
    return this.#metadata("remove", path, "", () => {
      this.#access.disk.remove(path);
      return nothing;
    });
  }

  syncDir(path: string): Promise<void> {
    return this.#call("syncDir", path, "", this.#access.delayUs(this.#access.timing.syncUs, 0), () => {
      const covered = this.#access.disk.beginSyncDir(path);
      return () => this.#access.disk.endSyncDir(covered);
    });
  }

  lock(path: string): Promise<Lock> {
    return this.#metadata("lock", path, "", () => {
      this.#access.disk.requireParent(path);
      const locked = normalPath(path);
      if (this.#locks.has(locked)) throw new FileError("locked", path, `${path} is locked by another holder`);
      this.#locks.add(locked);
      return () => ({ release: () => this.#release(locked) });
    });
  }

  async #release(locked: string): Promise<void> {
    this.#locks.delete(locked);
    await this.#access.process.after(0, "unlock", locked, nothing);
  }

  #metadata<Result>(kind: DiskCallKind, path: string, detail: string, start: () => () => Result): Promise<Result> {
    return this.#call(kind, path, detail, this.#access.delayUs(this.#access.timing.metadataUs, 0), start);
  }

  /** What fails by injection leaves the disk as it was. */
  #call<Result>(
    kind: DiskCallKind,
    path: string,
    detail: string,
    delayUs: number,
    start: () => () => Result,
  ): Promise<Result> {
    return this.#access.call(kind, path, new LateWord(path + detail), delayUs, (injected) => {
      if (injected !== undefined) throw injected;
      return start();
    });
  }
}
