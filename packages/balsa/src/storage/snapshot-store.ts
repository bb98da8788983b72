import { corrupt } from "../codec/index.js";
import type { SnapshotMeta } from "../core/index.js";
import { BalsaError, StorageError } from "../core/index.js";
import type { File, FileSystem, Logger } from "../platform/index.js";
import { isCorrupt, isDamage, isNotFound, located, storageFailure } from "./corruption.js";
import {
  type DataPaths,
  listSnapshots,
  type SnapshotName,
  snapshotPath,
  snapshotTemporaryPath,
} from "./data-directory.js";
import { loadFileHeader } from "./file-header.js";
import type { Identity } from "./identity.js";
import { SNAPSHOTS_KEPT } from "./limits.js";
import { decodeSnapshotHeader } from "./snapshot-format.js";
import { loadSnapshotFrame, type SnapshotPoint, SnapshotReader, soundPart, verifySnapshot } from "./snapshot-reader.js";
import { isSameMeta, SnapshotReceiver } from "./snapshot-receiver.js";
import { SnapshotTarget } from "./snapshot-target.js";
import { SnapshotWriter } from "./snapshot-writer.js";

/** What of a directory's snapshots can be told from their headers and ends. */
export interface SnapshotSurvey {
  /** The newest first. */
  readonly sound: readonly SnapshotMeta[];
  readonly damaged: readonly { readonly name: SnapshotName; readonly error: BalsaError }[];
  readonly temporaries: readonly string[];
}

/**
 * Reads only.
 * @param depth `whole`: every block is verified, and a file that can't be read is damaged, too
 * @throws BalsaError `identity-mismatch`, FileError
 */
export async function surveySnapshots(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  depth: "ends" | "whole" = "ends",
): Promise<SnapshotSurvey> {
  const { snapshots, temporaries } = await listSnapshots(files, paths);
  const sound: SnapshotMeta[] = [];
  const damaged: { name: SnapshotName; error: BalsaError }[] = [];
  for (const name of snapshots) {
    const path = snapshotPath(paths, name);
    const file = await files.open(path, "read");
    try {
      const frame = await loadSnapshotFrame(file, path, identity);
      if (depth === "whole") await verifySnapshot(file, path, frame);
      const { meta } = frame.header;
      if (meta.index !== name.index || meta.term !== name.term) {
        throw located(new BalsaError("corrupt", "a snapshot is not the one in its name"), path, 0);
      }
      sound.push(meta);
    } catch (cause) {
      const error = storageFailure(`reading ${path}`, cause);
      const isBad = depth === "whole" ? isDamage(cause) : isCorrupt(cause);
      if (!isBad || !(error instanceof BalsaError)) throw cause;
      damaged.push({ name, error });
    } finally {
      await file.close();
    }
  }
  return { sound, damaged, temporaries };
}

/** What came of a snapshot's file before its connection broke. */
interface ReceivedPart {
  readonly meta: SnapshotMeta;
  readonly path: string;
}

interface Resumed {
  readonly target: SnapshotTarget;
  readonly point: SnapshotPoint;
}

/** The snapshots of a directory: makes, receives, opens and, when they are old, removes them. */
export class SnapshotStore {
  readonly #files: FileSystem;
  readonly #paths: DataPaths;
  readonly #identity: Identity;
  readonly #logger: Logger;
  /** Under their final names and durable; in no order. Those above the current one wait to be taken over. */
  readonly #stored: Map<string, SnapshotName> = new Map();
  /** How many read each file. */
  readonly #readers: Map<string, number> = new Map();
  #current: SnapshotName;
  /** Of a snapshot whose connection broke. */
  #part: ReceivedPart | undefined;
  #attempts = 0;
  /** The directory may be another process' by now. */
  #isClosed = false;
  #removing: Promise<void> = Promise.resolve();

  /** @param current of index 0 = none */
  constructor(
    files: FileSystem,
    paths: DataPaths,
    identity: Identity,
    logger: Logger,
    survey: SnapshotSurvey,
    current: SnapshotName,
  ) {
    this.#files = files;
    this.#paths = paths;
    this.#identity = identity;
    this.#logger = logger;
    this.#current = current;
    for (const name of survey.sound) {
      if (this.#isPast(name)) this.#stored.set(snapshotPath(paths, name), name);
    }
  }

  /** What was never finished, never taken over, or is old. Damaged files stay: they are evidence. */
  removeLeftovers(survey: SnapshotSurvey): void {
    const paths = survey.sound.filter((name) => !this.#isPast(name)).map((name) => snapshotPath(this.#paths, name));
    for (const path of [...survey.temporaries, ...paths]) this.#queueRemoval(path);
    this.#prune();
  }

  /** Of those that are kept, the current one included: the log has to reach back to it. */
  get oldestIndex(): number {
    let oldest = this.#current.index;
    for (const { index } of this.#stored.values()) oldest = Math.min(oldest, index);
    return oldest;
  }

  /** Whether its file is in place. */
  has(name: SnapshotName): boolean {
    return this.#stored.has(snapshotPath(this.#paths, name));
  }

  /** Older ones than this are removed, but for the newest two and those that are being read. */
  setCurrent(name: SnapshotName): void {
    this.#current = { index: name.index, term: name.term };
    if (this.#part !== undefined && this.#part.meta.index <= name.index) this.#dropPart();
    this.#prune();
  }

  /** @param stored called once it is durable under its name */
  async create(meta: SnapshotMeta, library: Uint8Array, stored: () => void): Promise<SnapshotWriter> {
    const target = await this.#target(meta, stored);
    try {
      return await SnapshotWriter.start(target, this.#identity, meta, library);
    } catch (cause) {
      await target.discard();
      throw storageFailure("writing a snapshot", cause);
    }
  }

  /** Goes on with what an earlier try has left of the same snapshot, as far as that is sound. */
  async receive(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    const part = this.#part;
    this.#part = undefined;
    const suspended = (path: string): void => this.#keepPart({ meta, path });
    if (part !== undefined && isSameMeta(part.meta, meta)) {
      const resumed = await this.#resume(part);
      if (resumed !== undefined) {
        const { target, point } = resumed;
        return new SnapshotReceiver(target, this.#identity, meta, point, suspended);
      }
    }
    if (part !== undefined) this.#queueRemoval(part.path);
    const target = await this.#target(meta, () => {});
    return new SnapshotReceiver(target, this.#identity, meta, undefined, suspended);
  }

  /** One at the most; the others are removed. */
  #keepPart(part: ReceivedPart): void {
    if (this.#part !== undefined) this.#queueRemoval(this.#part.path);
    this.#part = part;
    if (part.meta.index <= this.#current.index) this.#dropPart();
  }

  #dropPart(): void {
    if (this.#part === undefined || this.#isClosed) return;
    this.#queueRemoval(this.#part.path);
    this.#part = undefined;
  }

  /** undefined: nothing of it is sound. */
  async #resume({ meta, path }: ReceivedPart): Promise<Resumed | undefined> {
    this.#requireNew(meta);
    const file = await this.#files.open(path, "write");
    try {
      const header = decodeSnapshotHeader(await loadFileHeader(file), this.#identity);
      const point = await soundPart(file, path, header);
      if (!isSameMeta(header.meta, meta) || point.position === header.headerBytes) throw corrupt("nothing of use");
      await file.truncate(point.position);
      return { target: this.#targetOf(meta, path, file, () => {}), point };
    } catch (cause) {
      await file.close();
      if (isCorrupt(cause)) return undefined;
      throw storageFailure(`reading ${path}`, cause);
    }
  }

  /** @throws BalsaError `invalid-argument` (there is none), `corrupt`, `storage-failed` */
  async open(name: SnapshotName): Promise<SnapshotReader> {
    const path = snapshotPath(this.#paths, name);
    if (!this.#stored.has(path)) {
      throw new BalsaError("invalid-argument", `there is no snapshot of index ${name.index}, term ${name.term}`);
    }
    this.#readers.set(path, (this.#readers.get(path) ?? 0) + 1);
    const closed = (): void => {
      this.#readers.set(path, (this.#readers.get(path) ?? 1) - 1);
      this.#prune();
    };
    try {
      const file = await this.#files.open(path, "read");
      try {
        return await SnapshotReader.open(file, path, this.#identity, closed);
      } catch (cause) {
        await file.close();
        throw cause;
      }
    } catch (cause) {
      closed();
      throw storageFailure(`opening ${path}`, cause);
    }
  }

  /** Gives no name and removes nothing any more. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#removing;
  }

  async #target(meta: SnapshotMeta, stored: () => void): Promise<SnapshotTarget> {
    this.#requireNew(meta);
    const temporaryPath = snapshotTemporaryPath(this.#paths, meta, ++this.#attempts);
    try {
      return this.#targetOf(meta, temporaryPath, await this.#files.open(temporaryPath, "create"), stored);
    } catch (cause) {
      throw storageFailure(`creating ${temporaryPath}`, cause);
    }
  }

  #targetOf(meta: SnapshotMeta, temporaryPath: string, file: File, stored: () => void): SnapshotTarget {
    const finalPath = snapshotPath(this.#paths, meta);
    return new SnapshotTarget({
      files: this.#files,
      logger: this.#logger,
      file,
      temporaryPath,
      finalPath,
      directory: this.#paths.snapshots,
      admit: () => this.#requireNew(meta),
      stored: () => {
        this.#stored.set(finalPath, { index: meta.index, term: meta.term });
        stored();
      },
    });
  }

  #requireNew(meta: SnapshotMeta): void {
    if (this.#isClosed) throw new BalsaError("closed", "the storage is closed");
    if (meta.index <= this.#current.index) throw new StorageError("snapshot-out-of-date");
  }

  #prune(): void {
    if (this.#isClosed) return;
    const old: string[] = [];
    let kept = 0;
    const newestFirst = [...this.#stored].sort(([, a], [, b]) => b.index - a.index || b.term - a.term);
    for (const [path, { index }] of newestFirst) {
      if (index > this.#current.index) continue;
      if (kept < SNAPSHOTS_KEPT) kept++;
      else if ((this.#readers.get(path) ?? 0) === 0) old.push(path);
    }
    for (const path of old) {
      this.#stored.delete(path);
      this.#readers.delete(path);
      this.#queueRemoval(path);
    }
  }

  /** The current snapshot or one before it. */
  #isPast({ index, term }: SnapshotName): boolean {
    return index < this.#current.index || (index === this.#current.index && term === this.#current.term);
  }

  #queueRemoval(path: string): void {
    this.#removing = this.#removing.then(() => this.#remove(path));
  }

  async #remove(path: string): Promise<void> {
    // It may have come again since.
    if (this.#stored.has(path)) return;
    try {
      await this.#files.remove(path);
    } catch (cause) {
      if (!isNotFound(cause)) this.#logger.log("warn", "an old snapshot could not be removed", { file: path, cause });
    }
  }
}
