import type { FileErrorCode } from "../platform/index.js";
import { FileError } from "../platform/index.js";
import type { CrashChoice } from "./crash-choice.js";
import {
  applyChanges,
  coveredBySync,
  type DirectoryOperation,
  DiskDirectory,
  DiskForks,
  survivors,
} from "./disk-directory.js";
import { DiskFile } from "./disk-file.js";
import { ImageFiles } from "./image-files.js";
import { DRAWS_MAX, SECTOR_BYTES } from "./limits.js";
import type { Prng } from "./prng.js";

export type DiskCallKind =
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
  | "writeAndSync"
  | "close";

export interface DiskCall {
  readonly kind: DiskCallKind;
  readonly path: string;
}

/** Called before each call takes effect: an error to inject, or undefined. May crash the node. */
export type DiskFault = (call: DiskCall) => FileErrorCode | undefined;

/** Where on a disk something went wrong. */
export interface DiskPlace {
  readonly path: string;
  /** Byte in the file. */
  readonly offset: number;
}

/** "/a//b/./c" → ["a", "b", "c"]; what is relative starts at the root. */
function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
}

/** One way to write each path. */
export function normalPath(path: string): string {
  return `/${namesOf(path).join("/")}`;
}

/**
 * A node's disk, which survives its crashes: files and directories as programs see them, as they would be after losing
 * power, and the operations that lie between. Takes no time and knows no processes: `SimFiles` does.
 */
export class SimDisk {
  fault: DiskFault | undefined;
  readonly #note: (what: string) => void;
  #root = new DiskDirectory();
  #unsyncedEntries: DirectoryOperation[] = [];
  #sequence = 0;
  #capacityBytes = Number.POSITIVE_INFINITY;
  #slowness = 1;
  #syncError: FileErrorCode | undefined;

  /** `note` is told of all that is done to the disk, in words for a trace. */
  constructor(note: (what: string) => void = () => {}) {
    this.#note = note;
  }

  /** Room for files. What does not fit is refused as `full`, after as much of it as does. Names take none. */
  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  set capacityBytes(bytes: number) {
    this.#note(`capacity=${bytes}`);
    this.#capacityBytes = bytes;
  }

  /** What every call takes, as a multiple of what it would take. */
  get slowness(): number {
    return this.#slowness;
  }

  set slowness(factor: number) {
    this.#note(`slowness=${factor}`);
    this.#slowness = factor;
  }

  /** While it is set every sync fails, and what it was to write is lost as far as the disk is concerned. */
  get syncError(): FileErrorCode | undefined {
    return this.#syncError;
  }

  set syncError(code: FileErrorCode | undefined) {
    this.#note(`sync-error=${code ?? "none"}`);
    this.#syncError = code;
  }

  /** What files take of the capacity. */
  get usedBytes(): number {
    let bytes = 0;
    for (const { entry: file } of filesBelow(this.#root, "entries")) bytes += file.allocatedBytes;
    return bytes;
  }

  /** How many bytes of a write to the file there is room for. */
  roomFor(file: DiskFile, position: number, lengthBytes: number): number {
    if (this.#capacityBytes === Number.POSITIVE_INFINITY) return lengthBytes;
    return file.fitting(position, lengthBytes, this.#capacityBytes - this.usedBytes);
  }

  /**
   * Turns one bit of what is durable over, where `admits` has nothing against it (a fault atlas: what a quorum can still
   * repair). Undefined: nowhere.
   */
  rot(prng: Prng, admits?: (place: DiskPlace) => boolean): (DiskPlace & { readonly bit: number }) | undefined {
    const drawn = this.#drawPlace(prng, admits);
    if (drawn === undefined) return undefined;
    const { file, path, offset } = drawn;
    const bit = prng.below(8);
    this.#note(`rot ${path} ${offset} bit=${bit}`);
    file.rot(offset, bit);
    return { path, offset, bit };
  }

  /** Makes one sector of what is durable unreadable (`io`), until it is written anew as a whole. Undefined: nowhere. */
  spoilSector(prng: Prng, admits?: (place: DiskPlace) => boolean): DiskPlace | undefined {
    const drawn = this.#drawPlace(prng, admits);
    if (drawn === undefined) return undefined;
    const { file, path, offset } = drawn;
    this.#note(`unreadable ${path} ${offset}`);
    file.spoil(offset);
    return { path, offset };
  }

  /**
   * A write is found never to have reached one sector of what is durable (`lost`: it is zeros, as before the first write), or to
   * have landed in another one's place (`misdirected`). `admits` says of which sectors. Undefined: nowhere, or no change.
   */
  overwriteSector(
    prng: Prng,
    how: "lost" | "misdirected",
    admits?: (place: DiskPlace) => boolean,
  ): DiskPlace | undefined {
    const there = this.#drawPlace(prng, admits);
    const from = how === "misdirected" ? this.#drawPlace(prng, admits) : undefined;
    if (there === undefined || (how === "misdirected" && from === undefined)) return undefined;
    const { file, path, offset } = there;
    const bytes = from?.file.durableSector(from.offset) ?? new Uint8Array(SECTOR_BYTES);
    if (!file.overwriteSector(offset, bytes)) return undefined;
    this.#note(`${how} ${path} ${offset}${from === undefined ? "" : ` from ${from.path} ${from.offset}`}`);
    return { path, offset };
  }

  /**
   * What would be there if the power went now and nothing that was not synced were kept; to be read before the disk
   * changes. What is not read is not copied: nearly all of a log directory is spare room.
   */
  durableFiles(): ImageFiles {
    return new ImageFiles(
      new Map(filesBelow(this.#root, "durable").map(({ path, entry: file }) => [path, file.durableImage])),
    );
  }

  /** Another disk, empty, takes its place. What was set (capacity, slowness, errors) stays. */
  wipe(): void {
    this.#note("wipe");
    this.#root = new DiskDirectory();
    this.#unsyncedEntries = [];
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  makeDir(path: string): void {
    let directory = this.#root;
    for (const name of namesOf(path)) {
      const entry = directory.entries.get(name);
      if (entry instanceof DiskFile) throw new FileError("exists", path, `${path}: ${name} is a file`);
      const next = entry ?? new DiskDirectory();
      if (entry === undefined) this.#change(directory, [{ directory, name, entry: next }]);
      directory = next;
    }
  }

  list(path: string): readonly string[] {
    return [...this.#directory(path).entries.keys()].sort();
  }

  open(path: string, mode: "read" | "write" | "create"): DiskFile {
    const { directory, name } = this.#place(path);
    const entry = name === "" ? directory : directory.entries.get(name);
    if (mode === "create") {
      if (entry !== undefined) throw new FileError("exists", path, `${path} exists`);
      const file = new DiskFile();
      this.#change(directory, [{ directory, name, entry: file }]);
      return file;
    }
    if (entry === undefined) throw new FileError("not-found", path, `${path} does not exist`);
    if (entry instanceof DiskDirectory) throw new FileError("io", path, `${path} is not a file`);
    return entry;
  }

  rename(from: string, to: string): void {
    const source = this.#place(from);
    const target = this.#place(to);
    const entry = source.directory.entries.get(source.name);
    if (entry === undefined) throw new FileError("not-found", from, `${from} does not exist`);
    const replaced = target.directory.entries.get(target.name);
    if (replaced === entry) return;
    const isFile = entry instanceof DiskFile;
    if (target.name === "" || (replaced !== undefined && !(isFile && replaced instanceof DiskFile))) {
      throw new FileError("io", from, `${to} is in the way of ${from}`);
    }
    this.#change(target.directory, [
      { ...source, entry: undefined },
      { ...target, entry },
    ]);
  }

  remove(path: string): void {
    const { directory, name } = this.#place(path);
    const entry = name === "" ? directory : directory.entries.get(name);
    if (entry === undefined) throw new FileError("not-found", path, `${path} does not exist`);
    if (entry instanceof DiskDirectory) throw new FileError("io", path, `${path} is not a file`);
    this.#change(directory, [{ directory, name, entry: undefined }]);
  }

  /** @throws FileError `not-found` unless the directory that the path lies in exists */
  requireParent(path: string): void {
    this.#place(path);
  }

  /** What a sync of the directory that begins now will cover. */
  beginSyncDir(path: string): readonly DirectoryOperation[] {
    return coveredBySync(this.#directory(path), this.#unsyncedEntries);
  }

  endSyncDir(covered: readonly DirectoryOperation[]): void {
    const set = new Set(covered);
    for (const operation of this.#unsyncedEntries) {
      if (set.has(operation)) applyChanges(operation.changes, "durable");
    }
    this.#unsyncedEntries = this.#unsyncedEntries.filter((operation) => !set.has(operation));
  }

  /** The operations that no sync has covered yet: the oldest and the newest; undefined if there are none. */
  unsyncedRange(): { readonly oldest: number; readonly newest: number } | undefined {
    const sequences = this.#unsyncedEntries.map((operation) => operation.sequence);
    for (const { entry: file } of filesBelow(this.#root, "entries")) {
      for (const operation of file.unsynced) sequences.push(operation.sequence);
    }
    if (sequences.length === 0) return undefined;
    let [oldest, newest] = [Number.MAX_SAFE_INTEGER, 0];
    for (const sequence of sequences) {
      oldest = Math.min(oldest, sequence);
      newest = Math.max(newest, sequence);
    }
    return { oldest, newest };
  }

  /** Leaves one of the states that a crash may leave, as chosen. Entries are asked for first, then each file. */
  crash(choice: CrashChoice): void {
    for (const operation of survivors(this.#unsyncedEntries, (sequences) => choice.keep(sequences))) {
      applyChanges(operation.changes, "durable");
    }
    this.#unsyncedEntries = [];
    for (const { entry: file } of filesBelow(this.#root, "durable")) file.crash(choice);
    for (const { entry: directory } of directoriesBelow(this.#root, "durable")) directory.crash();
  }

  /**
   * Another disk in the same state, unsynced operations and all: what happens to the one does not show on the other.
   * Bytes are shared until one of the two changes them, so a fork costs little. It has no `fault`,
   * and none of the disk's other faults but its rotten bits and unreadable sectors.
   */
  fork(): SimDisk {
    const other = new SimDisk();
    const forks = new DiskForks();
    other.#root = forks.directory(this.#root);
    other.#unsyncedEntries = this.#unsyncedEntries.map((operation) => forks.operation(operation));
    other.#sequence = this.#sequence;
    return other;
  }

  /** The process that wrote is gone, and nothing is under way any more: what it wrote counts as done. */
  completeAll(): void {
    for (const { entry: file } of filesBelow(this.#root, "entries")) {
      for (const operation of file.unsynced) operation.completed = true;
    }
  }

  /** Each byte of what is durable is as likely as any other. */
  #drawPlace(
    prng: Prng,
    admits: (place: DiskPlace) => boolean = () => true,
  ): (DiskPlace & { readonly file: DiskFile }) | undefined {
    const files = filesBelow(this.#root, "durable");
    let totalBytes = 0;
    for (const { entry: file } of files) totalBytes += file.durableSizeBytes;
    if (totalBytes === 0) return undefined;
    for (let draw = 0; draw < DRAWS_MAX; draw += 1) {
      let offset = prng.below(totalBytes);
      for (const { path, entry: file } of files) {
        if (offset < file.durableSizeBytes) {
          if (admits({ path, offset })) return { path, offset, file };
          break;
        }
        offset -= file.durableSizeBytes;
      }
    }
    return undefined;
  }

  #change(home: DiskDirectory, changes: DirectoryOperation["changes"]): void {
    applyChanges(changes, "entries");
    this.#unsyncedEntries.push({ sequence: this.nextSequence(), home, changes });
  }

  #directory(path: string, names: readonly string[] = namesOf(path)): DiskDirectory {
    let directory = this.#root;
    for (const name of names) {
      const entry = directory.entries.get(name);
      if (!(entry instanceof DiskDirectory)) {
        throw new FileError("not-found", path, `${path} is not a directory that exists`);
      }
      directory = entry;
    }
    return directory;
  }

  /** The directory a path lies in, and its name there; "" for the root itself. */
  #place(path: string): { directory: DiskDirectory; name: string } {
    const names = namesOf(path);
    const name = names.pop() ?? "";
    return { directory: this.#directory(path, names), name };
  }
}

interface Found<Entry> {
  readonly path: string;
  readonly entry: Entry;
}

/** With their paths, each ending in "/". */
function directoriesBelow(root: DiskDirectory, which: "entries" | "durable"): Found<DiskDirectory>[] {
  const found = [{ path: "/", entry: root }];
  // Grows while it is walked.
  for (const { path, entry: directory } of found) {
    for (const [name, entry] of directory[which]) {
      if (entry instanceof DiskDirectory) found.push({ path: `${path}${name}/`, entry });
    }
  }
  return found;
}

function filesBelow(root: DiskDirectory, which: "entries" | "durable"): Found<DiskFile>[] {
  const found: Found<DiskFile>[] = [];
  for (const { path, entry: directory } of directoriesBelow(root, which)) {
    for (const [name, entry] of directory[which]) {
      if (entry instanceof DiskFile) found.push({ path: `${path}${name}`, entry });
    }
  }
  return found;
}
