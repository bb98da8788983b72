import type { File, FileSystem, Platform, Timer } from "../platform/index.js";
import { isNotFound } from "./corruption.js";
import { type DataPaths, sparePath, spareTemporaryPath } from "./data-directory.js";
import {
  ROOM_RETRY_MS,
  SPARE_BYTES_MIN,
  SPARE_GROWTH,
  SPARE_PAUSE_MS,
  SPARE_PIECE_BYTES,
  SPARE_RETRY_MS_MAX,
  SPARES_MAX,
} from "./limits.js";
import { isDiskFull, isShortage, type SegmentBase } from "./segment-file.js";

export interface SpareSegmentsOptions {
  readonly platform: Pick<Platform, "clock" | "files" | "logger">;
  readonly paths: DataPaths;
  /** No spare is prepared larger. */
  readonly segmentBytes: number;
  /** There is one where there was none, or there is no room for one. */
  readonly onChange: () => void;
}

/** What an earlier process left may lie on sectors that went bad since. */
type Contents = "known" | "unread";

const PIECE: Uint8Array = new Uint8Array(SPARE_PIECE_BYTES);

/**
 * Files that wait to become segments (docs/storage-format.md, "Spares"): released segments, and, where there are none, one
 * that is filled with zeros in the background. Overwriting a file costs a sync less than growing one, and on a full disk a
 * spare is a place to write all the same. Also closes and removes what the log no longer needs.
 */
export class SpareSegments {
  readonly #options: SpareSegmentsOptions;
  readonly #files: FileSystem;
  /** Open, so that to take one needs no descriptor. */
  readonly #ready: SegmentBase[] = [];
  /** The number of the last one that was made. */
  #last = 0;
  #wantedBytes: number;
  #preparing: Promise<void> | undefined;
  /** Ends the pause of a preparation. */
  #wake: (() => void) | undefined;
  #retry: Timer | undefined;
  #retryMs: number = ROOM_RETRY_MS;
  #isStarved = false;
  #isClosed = false;
  /** Closing, recycling and removing, one after the other. */
  #housekeeping: Promise<void> = Promise.resolve();

  constructor(options: SpareSegmentsOptions) {
    this.#options = options;
    this.#files = options.platform.files;
    this.#wantedBytes = this.#bytesMin;
  }

  /** Whether `take` will give one. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** There is none, and the disk has no room to make one. */
  get isStarved(): boolean {
    return this.#isStarved && this.#ready.length === 0;
  }

  /** What an earlier process left; files that are of no use any more are removed. One at once, others by and by. */
  async adopt(spares: readonly number[]): Promise<void> {
    this.#last = Math.max(this.#last, ...spares);
    for (const spare of spares) {
      const path = sparePath(this.#options.paths, spare);
      if (this.hasReady) {
        this.releaseUnread(path);
        continue;
      }
      try {
        if (!(await this.#keep(path, "unread"))) await this.#files.remove(path);
      } catch (cause) {
        this.#warn("a spare segment is not used", path, cause);
        this.#housekeep("an old segment could not be removed", path, () => this.#files.remove(path));
      }
    }
  }

  take(): SegmentBase | undefined {
    return this.#ready.shift();
  }

  /** It did not become a segment: the disk had no room for what does not fit it. */
  giveBack(base: SegmentBase): void {
    this.#ready.unshift({ ...base, isRecycled: true });
  }

  /** There is to be one, in proportion to the segment in use. */
  want(currentBytes: number): void {
    this.#wantedBytes = this.#clamped(currentBytes * SPARE_GROWTH);
    this.#prepareIfNeeded();
  }

  /** The segment's file is no part of the log any more: it becomes a spare, or is removed. */
  release(path: string): void {
    this.#release(path, "known");
  }

  /** The same for a file that an earlier process left, and that this one has not read. */
  releaseUnread(path: string): void {
    this.#release(path, "unread");
  }

  #release(path: string, contents: Contents): void {
    this.#housekeep("an old segment could not be removed", path, async () => {
      if (!(await this.#recycle(path, contents))) await this.#files.remove(path);
    });
  }

  closeFile(file: File): void {
    this.#housekeep("an old segment could not be closed", file.path, () => file.close());
  }

  /** A file that was to become a segment, and did not. */
  discard(base: SegmentBase): void {
    this.#housekeep("an unfinished segment could not be removed", base.path, async () => {
      await base.file.close();
      await this.#files.remove(base.path);
    });
  }

  /** Finishes what is under way, and lets go of all files. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#wake?.();
    await this.#preparing;
    await this.#housekeeping;
    for (const { file } of this.#ready.splice(0)) this.closeFile(file);
    await this.#housekeeping;
  }

  // Preparing.

  get #bytesMin(): number {
    return Math.min(SPARE_BYTES_MIN, this.#options.segmentBytes);
  }

  #clamped(bytes: number): number {
    return Math.max(this.#bytesMin, Math.min(bytes, this.#options.segmentBytes));
  }

  #prepareIfNeeded(): void {
    if (this.#isClosed || this.#ready.length > 0 || this.#preparing !== undefined || this.#retry !== undefined) return;
    this.#preparing = this.#prepare(this.#wantedBytes).then(() => {
      this.#preparing = undefined;
    });
  }

  async #prepare(sizeBytes: number): Promise<void> {
    const { paths } = this.#options;
    const spare = ++this.#last;
    let path = spareTemporaryPath(paths, spare);
    let file: File | undefined;
    try {
      file = await this.#files.open(path, "create");
      if (!(await this.#fill(file, sizeBytes))) {
        this.discard({ path, file, preparedBytes: 0, isRecycled: false });
        return;
      }
      await this.#files.rename(path, sparePath(paths, spare));
      path = sparePath(paths, spare);
      await this.#files.syncDir(paths.log);
      this.#ready.push({ path, file, preparedBytes: sizeBytes, isRecycled: false });
      this.#isStarved = false;
      this.#retryMs = ROOM_RETRY_MS;
      this.#options.onChange();
    } catch (cause) {
      if (file !== undefined) this.discard({ path, file, preparedBytes: 0, isRecycled: false });
      this.#failedToPrepare(path, sizeBytes, cause);
    }
  }

  /** False if it is not needed any more. */
  async #fill(file: File, sizeBytes: number): Promise<boolean> {
    for (let at = 0; at < sizeBytes; at += PIECE.length) {
      if (at > 0) await this.#pause();
      if (this.#isClosed || this.#ready.length > 0) return false;
      await file.write(at, [PIECE.subarray(0, Math.min(PIECE.length, sizeBytes - at))]);
      await file.sync();
    }
    return true;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) {
        resolve();
        return;
      }
      const timer = this.#options.platform.clock.setTimer(SPARE_PAUSE_MS, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** The log goes on without. A smaller one may find room. */
  #failedToPrepare(path: string, sizeBytes: number, cause: unknown): void {
    if (!isShortage(cause)) {
      this.#warn("a spare segment could not be prepared", path, cause);
      this.#retryMs = Math.min(this.#retryMs * 2, SPARE_RETRY_MS_MAX);
    }
    if (isDiskFull(cause) && sizeBytes === this.#bytesMin) this.#isStarved = true;
    this.#wantedBytes = this.#bytesMin;
    if (!this.#isClosed) {
      this.#retry = this.#options.platform.clock.setTimer(this.#retryMs, () => {
        this.#retry = undefined;
        this.#prepareIfNeeded();
      });
    }
    this.#options.onChange();
  }

  // Recycling.

  async #recycle(path: string, contents: Contents): Promise<boolean> {
    if (this.#ready.length >= (this.#isStarved ? 1 : SPARES_MAX)) return false;
    try {
      const kept = await this.#keep(path, contents);
      if (kept) this.#options.onChange();
      return kept;
    } catch (cause) {
      this.#warn("a released segment could not be kept for a new one", path, cause);
      return false;
    }
  }

  /** Opens it as a spare, under a spare's durable name, if it is of a fitting size. */
  async #keep(path: string, contents: Contents): Promise<boolean> {
    const { paths, segmentBytes } = this.#options;
    const file = await this.#files.open(path, "write");
    let isKept = false;
    try {
      const preparedBytes = await file.sizeBytes();
      if (preparedBytes === 0) return false;
      // Small ones would have the log change segments all the time; one that a huge batch has blown up is a waste.
      if (preparedBytes * SPARE_GROWTH < this.#wantedBytes || preparedBytes > segmentBytes * 1.25) return false;
      // A sector that can't be read fails a write to a part of it, too: better this file now than the log then.
      if (contents === "unread") await readThrough(file, preparedBytes);
      // A sync of the file may have failed in the process before: then its size is in the kernel's cache only.
      await file.write(preparedBytes - 1, [PIECE.subarray(0, 1)]);
      await file.sync();
      let name = path;
      if (!path.endsWith(".spare")) {
        name = sparePath(paths, ++this.#last);
        await this.#files.rename(path, name);
        // Before anything is written to it: under its old name it may be read until then.
        await this.#files.syncDir(paths.log);
      }
      this.#ready.push({ path: name, file, preparedBytes, isRecycled: true });
      this.#isStarved = false;
      isKept = true;
      return true;
    } finally {
      if (!isKept) await file.close();
    }
  }

  /** What fails here costs space, not data; the next open tries again. */
  #housekeep(failure: string, path: string, work: () => Promise<void>): void {
    this.#housekeeping = this.#housekeeping.then(work).catch((cause: unknown) => {
      if (!isNotFound(cause)) this.#warn(failure, path, cause);
    });
  }

  #warn(message: string, path: string, cause: unknown): void {
    this.#options.platform.logger.log("warn", message, { file: path, cause });
  }
}

/** @throws FileError when some of it can't be read */
async function readThrough(file: File, sizeBytes: number): Promise<void> {
  for (let at = 0; at < sizeBytes; at += SPARE_PIECE_BYTES) {
    await file.read(at, Math.min(SPARE_PIECE_BYTES, sizeBytes - at));
  }
}
