import type { File, FileSystem, Lock } from "../../src/platform/index.js";
import { FileError } from "../../src/platform/index.js";
import type { SimDisk } from "../../src/sim/index.js";

/** Files to be read only, as bytes that a test may change, but not while whoever read them still looks at them. */
export class ImageFiles implements FileSystem {
  /** By path. */
  readonly images: Map<string, Uint8Array> = new Map();

  static of(disk: SimDisk, dir: string): ImageFiles {
    const files = new ImageFiles();
    for (const path of [`${dir}/identity`, ...below(disk, `${dir}/log`), ...below(disk, `${dir}/snapshots`)]) {
      const file = disk.open(path, "read");
      files.images.set(path, file.read(0, file.sizeBytes));
    }
    return files;
  }

  /** The image whose path ends like this. */
  path(ending: string): string {
    const found = [...this.images.keys()].filter((path) => path.endsWith(ending));
    const [path] = found;
    if (path === undefined || found.length > 1) throw new Error(`${found.length} files end in ${ending}`);
    return path;
  }

  image(path: string): Uint8Array {
    const bytes = this.images.get(path);
    if (bytes === undefined) throw new Error(`${path} is not there`);
    return bytes;
  }

  /** Paths of the segments, oldest first. */
  get segments(): readonly string[] {
    return [...this.images.keys()].filter((path) => path.endsWith(".log")).sort();
  }

  get snapshots(): readonly string[] {
    return [...this.images.keys()].filter((path) => path.endsWith(".snapshot")).sort();
  }

  list(path: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const other of this.images.keys()) {
      if (other.startsWith(`${path}/`)) names.add(other.slice(path.length + 1).split("/", 1)[0] ?? "");
    }
    return Promise.resolve([...names].sort());
  }

  open(path: string, mode: "read" | "write" | "create"): Promise<File> {
    const bytes = this.images.get(path);
    if (bytes === undefined) return Promise.reject(new FileError("not-found", path, `${path} is not there`));
    if (mode !== "read") return refused(path);
    return Promise.resolve(new ImageFile(path, bytes));
  }

  makeDir(path: string): Promise<void> {
    return refused(path);
  }

  rename(from: string): Promise<void> {
    return refused(from);
  }

  remove(path: string): Promise<void> {
    return refused(path);
  }

  syncDir(path: string): Promise<void> {
    return refused(path);
  }

  lock(path: string): Promise<Lock> {
    return refused(path);
  }
}

class ImageFile implements File {
  readonly path: string;
  readonly #bytes: Uint8Array;

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.#bytes = bytes;
  }

  sizeBytes(): Promise<number> {
    return Promise.resolve(this.#bytes.length);
  }

  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    return Promise.resolve(this.#bytes.subarray(position, position + lengthBytes));
  }

  write(): Promise<void> {
    return refused(this.path);
  }

  truncate(): Promise<void> {
    return refused(this.path);
  }

  sync(): Promise<void> {
    return refused(this.path);
  }

  writeAndSync(): void {
    throw new FileError("denied", this.path, "only to be read");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function below(disk: SimDisk, dir: string): string[] {
  return disk.list(dir).map((name) => `${dir}/${name}`);
}

function refused<Value>(path: string): Promise<Value> {
  return Promise.reject(new FileError("denied", path, "only to be read"));
}
