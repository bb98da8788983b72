import type { File, FileSystem, Lock } from "../platform/index.js";
import { FileError } from "../platform/index.js";

/** A file's content: an array of bytes will do. */
export interface FileImage {
  readonly length: number;
  subarray(start: number, end: number): Uint8Array;
}

/**
 * Files as they would be found, to be read and nothing else: outside of time and of every process, so that a checker can
 * look at a disk in the middle of a run. Promises settle at once; what is read may be a view.
 */
export class ImageFiles implements FileSystem {
  readonly #images: ReadonlyMap<string, FileImage>;

  /** By path. */
  constructor(images: ReadonlyMap<string, FileImage>) {
    this.#images = images;
  }

  list(path: string): Promise<readonly string[]> {
    const names = new Set<string>();
    const prefix = `${path}/`;
    for (const other of this.#images.keys()) {
      if (!other.startsWith(prefix)) continue;
      const end = other.indexOf("/", prefix.length);
      names.add(other.slice(prefix.length, end < 0 ? other.length : end));
    }
    if (names.size === 0) return Promise.reject(new FileError("not-found", path, `${path} is not there`));
    return Promise.resolve([...names].sort());
  }

  open(path: string, mode: "read" | "write" | "create"): Promise<File> {
    const bytes = this.#images.get(path);
    if (mode !== "read") return refused(path);
    if (bytes === undefined) return Promise.reject(new FileError("not-found", path, `${path} is not there`));
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
  readonly #bytes: FileImage;

  constructor(path: string, bytes: FileImage) {
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

function refused<Value>(path: string): Promise<Value> {
  return Promise.reject(new FileError("denied", path, "only to be read"));
}
