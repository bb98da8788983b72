import { BalsaError } from "../../src/core/index.js";
import { Prng } from "../../src/sim/index.js";
import { type LogWrite, readLog } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { applied, difference, EMPTY_MODEL, type Found, type ModelState } from "./log-model.js";
import { RecordedFiles } from "./recorded-files.js";
import { type ByteDamage, type Outcome, outcomeOf, SegmentAnatomy, type Verdict } from "./segment-anatomy.js";
import { append, DIR, entries, hardState, openStorage, refuseSpares, takeSnapshot, write } from "./storages.js";

export interface LogImageOptions {
  /** Of the entries' records, about. */
  readonly entryBytes: number;
  readonly segmentBytes: number;
  /** How segments come to their files. */
  readonly segments: "grown" | "prepared" | "recycled";
  /** With a mark behind the last batch. */
  readonly isClosed: boolean;
}

/** A data directory in memory, to be damaged and read, and what it holds. */
export class LogImage {
  /** The same, to be opened. */
  readonly recorded: RecordedFiles;
  readonly files: ImageFiles;
  /** The same, before the last batch was written. */
  readonly earlier: ImageFiles;
  /** What it held after each batch. */
  readonly #states: readonly ModelState[];
  readonly #anatomies = new Map<string, SegmentAnatomy>();

  private constructor(recorded: RecordedFiles, earlier: ImageFiles, states: readonly ModelState[], isClosed: boolean) {
    this.recorded = recorded;
    this.earlier = earlier;
    this.files = ImageFiles.of(recorded.disk, DIR);
    this.#states = states;
    const { segments } = this.files;
    for (const path of segments) {
      const isNewest = path === segments.at(-1);
      this.#anatomies.set(path, new SegmentAnatomy(this.files.image(path), isNewest, isNewest && isClosed));
    }
  }

  /** Segments behind a snapshot that they could do without, filled by batches of one to six entries. */
  static async make({ entryBytes, segmentBytes, segments, isClosed }: LogImageOptions): Promise<LogImage> {
    const prng = new Prng("log image");
    const files = new RecordedFiles();
    if (segments === "grown") refuseSpares(files);
    const storage = await openStorage(files, { segmentBytes });
    const states = [EMPTY_MODEL];
    const add = (parts: Partial<LogWrite>): Promise<void> => {
      states.push(applied(states.at(-1) ?? EMPTY_MODEL, write(parts)));
      return append(storage, parts);
    };
    await add({ hardState: hardState(1, 0, 0), entries: entries(1, 10, 1, 30) });
    await add({ hardState: hardState(1, 0, 11), entries: entries(11, 22, 1, 30) });
    await takeSnapshot(storage, 10, 1);
    // Another leader's, which replace some.
    await add({ hardState: hardState(2, 7, 11), entries: entries(20, 24, 2, 40) });
    let first = 25;
    const addBatch = async (count: number, bytes: number): Promise<void> => {
      await add({ hardState: hardState(2, 7, first - 1), entries: entries(first, first + count - 1, 2, bytes) });
      first += count;
    };
    const fill = async (bytes: number): Promise<void> => {
      while (storage.logBytes < bytes) {
        await addBatch(1 + prng.below(6), prng.below(600));
        // What is prepared in the background is there when it is needed.
        await turns(5);
      }
    };
    await fill(entryBytes);
    if (segments === "recycled") {
      // The log is kept behind the older of two.
      for (const index of [first - 3, first - 2]) await takeSnapshot(storage, index, 2);
      storage.compact(first - 2);
      await turns(50);
      await fill(segmentBytes * 1.6);
    }
    // So that the newest segment has some behind its first.
    for (const bytes of [10, 40]) await addBatch(2, bytes);
    const earlier = ImageFiles.of(files.disk, DIR);
    await addBatch(2, 90);
    if (isClosed) await storage.close();
    else await turns(50);
    return new LogImage(files, earlier, states, isClosed);
  }

  /** Of the log itself, without what files were given beforehand. */
  get logBytes(): number {
    return this.files.segments.reduce((sum, path) => sum + this.end(path), 0);
  }

  get newest(): string {
    return this.files.segments.at(-1) ?? "";
  }

  /** How the newest segment came to its file. */
  get newestFile(): "grown" | "prepared" | "recycled" {
    const header = Buffer.from(this.files.image(this.newest));
    if ((header.readUInt32LE(20) & 1) === 1) return "recycled";
    return header.readUInt32LE(96) === 0 ? "grown" : "prepared";
  }

  /** Where what counts ends in a file. */
  end(path: string): number {
    if (path.endsWith(".spare")) return 0;
    return this.#anatomies.get(path)?.end ?? this.files.image(path).length;
  }

  /** What the specification says of this damage. */
  damaged(path: string, damage: ByteDamage): Verdict {
    return this.#anatomies.get(path)?.damaged(damage) ?? ofOthers(path);
  }

  cutAt(path: string, length: number): Verdict {
    return this.#anatomies.get(path)?.cutAt(length) ?? ofOthers(path);
  }

  /**
   * Reads the directory as it is now.
   * @throws Error if it is refused for another reason than corruption, or something was invented
   */
  async read(): Promise<Outcome> {
    let found: Found & { readonly torn: unknown };
    try {
      found = await readLog(this.files, DIR);
    } catch (error) {
      if (!(error instanceof BalsaError) || error.code !== "corrupt") throw error;
      if (!/^\/data\/a\/\S+ is damaged at offset \d+/.test(error.message)) throw error;
      return "corrupt";
    }
    const missing = this.#states.toReversed().findIndex((state) => difference(state, found) === undefined);
    if (missing === -1) throw new Error("not what it ever was");
    return outcomeOf(missing, found.torn !== undefined);
  }
}

function ofOthers(path: string): Verdict {
  if (path.endsWith("/identity")) return { region: "identity", outcome: "corrupt" };
  if (path.endsWith(".snapshot")) return { region: "a snapshot that is not needed", outcome: "harmless" };
  return { region: "spare files", outcome: "harmless" };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}
