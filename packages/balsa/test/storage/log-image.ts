import { BalsaError } from "../../src/core/index.js";
import { Prng } from "../../src/sim/index.js";
import { readLog } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { applied, difference, EMPTY_MODEL, type Found, type ModelState } from "./log-model.js";
import { RecordedFiles } from "./recorded-files.js";
import { append, DIR, entries, hardState, openStorage, takeSnapshot, write } from "./storages.js";

/** What became of a damaged directory. */
export type Outcome =
  /** Refused, with the file and the offset. */
  | "corrupt"
  /** The last batch is dropped, with a word. */
  | "torn: last batch dropped"
  | "torn: several batches dropped"
  /** What the specification says that nothing can tell: a log that was never longer looks like that. */
  | "shorter, without a word"
  /** A word, and nothing is missing. */
  | "torn: nothing lost"
  | "harmless";

const SEGMENT_HEADER_BYTES = 128;

/** Where the header ends, and each batch behind it. */
function batchEnds(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends = [SEGMENT_HEADER_BYTES];
  for (let at = SEGMENT_HEADER_BYTES; at + 20 <= bytes.length && view.getUint32(at, true) === 0x48435442; ) {
    at += view.getUint32(at + 8, true) + view.getUint32(at + 12, true) + view.getUint32(at + 16, true);
    ends.push(at);
  }
  return ends;
}

function tornOutcome(missingBatches: number): Outcome {
  if (missingBatches === 0) return "torn: nothing lost";
  return missingBatches === 1 ? "torn: last batch dropped" : "torn: several batches dropped";
}

/** A data directory in memory, to be damaged and read, and what it holds. */
export class LogImage {
  readonly files: ImageFiles;
  /** What it held after each batch. */
  readonly #states: readonly ModelState[];
  readonly #isClosed: boolean;
  readonly #regions = new Map<string, { readonly name: string; readonly from: number; readonly outcome: Outcome }[]>();

  private constructor(files: ImageFiles, states: readonly ModelState[], isClosed: boolean) {
    this.files = files;
    this.#states = states;
    this.#isClosed = isClosed;
    for (const path of files.images.keys()) this.#regions.set(path, this.#regionsOf(path));
  }

  /**
   * Segments behind a snapshot, filled by batches of one to six entries of some hundred bytes.
   * @param bytes of the entries
   * @param isClosed with a mark behind the last batch
   */
  static async make(bytes: number, segmentBytes: number, isClosed: boolean): Promise<LogImage> {
    const { files, states } = await LogImage.record(bytes, segmentBytes, isClosed);
    return new LogImage(ImageFiles.of(files.disk, DIR), states, isClosed);
  }

  /** The same, as files to be written on. */
  static async record(
    bytes: number,
    segmentBytes: number,
    isClosed: boolean,
  ): Promise<{ readonly files: RecordedFiles; readonly states: readonly ModelState[] }> {
    const prng = new Prng(`log image ${bytes}`);
    const files = new RecordedFiles();
    const storage = await openStorage(files, { segmentBytes });
    const states = [EMPTY_MODEL];
    const add = (parts: Parameters<typeof write>[0]): Promise<void> => {
      states.push(applied(states.at(-1) ?? EMPTY_MODEL, write(parts)));
      return append(storage, parts);
    };
    await add({ hardState: hardState(1, 0, 0), entries: entries(1, 10, 1, 30) });
    await add({ hardState: hardState(1, 0, 11), entries: entries(11, 22, 1, 30) });
    await takeSnapshot(storage, 10, 1);
    // Another leader's, which replace some.
    await add({ hardState: hardState(2, 7, 11), entries: entries(20, 24, 2, 40) });
    let first = 25;
    const addBatch = async (count: number, entryBytes: number): Promise<void> => {
      await add({ hardState: hardState(2, 7, first - 1), entries: entries(first, first + count - 1, 2, entryBytes) });
      first += count;
    };
    while (storage.logBytes < bytes) await addBatch(1 + prng.below(6), prng.below(600));
    // So that the newest segment has some behind its first.
    for (const entryBytes of [10, 40, 90]) await addBatch(2, entryBytes);
    if (isClosed) await storage.close();
    return { files, states };
  }

  /** Of the log itself, without what files are given beforehand. */
  get logBytes(): number {
    return this.files.segments.reduce((sum, path) => sum + this.end(path), 0);
  }

  /** Behind it a file holds nothing that counts. */
  end(path: string): number {
    const bytes = this.files.image(path);
    return path.endsWith(".log") ? (batchEnds(bytes).at(-1) ?? 0) : bytes.length;
  }

  /** What lies there, and what the specification says of damage to it. */
  region(path: string, at: number): { readonly name: string; readonly outcome: Outcome } {
    const region = this.#regions.get(path)?.findLast(({ from }) => from <= at);
    if (region === undefined) throw new Error(`${path} has no byte ${at}`);
    return region;
  }

  /** What the specification says of a file that is cut there. */
  cut(path: string, length: number): { readonly name: string; readonly outcome: Outcome } {
    const bytes = this.files.image(path);
    const region = this.region(path, length);
    if (!path.endsWith(".log")) return region;
    const [, ...ends] = batchEnds(bytes);
    // A prepared file tells of it, and so does what another segment links to, and what a segment never lacks.
    const preparedBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(96, true);
    const isNewest = path === this.files.segments.at(-1);
    if (length < preparedBytes || !isNewest || length < (ends[0] ?? 0))
      return { name: region.name, outcome: "corrupt" };
    const missing = ends.filter((end) => end > length).length - (this.#isClosed ? 1 : 0);
    const name = "newest segment: behind its first batch";
    if (!ends.includes(length)) return { name, outcome: tornOutcome(missing) };
    return { name: `${name}, at a whole batch`, outcome: missing === 0 ? "harmless" : "shorter, without a word" };
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
    if (found.torn !== undefined) return tornOutcome(missing);
    return missing === 0 ? "harmless" : "shorter, without a word";
  }

  #regionsOf(path: string): { name: string; from: number; outcome: Outcome }[] {
    if (path.endsWith("/identity")) return [{ name: "identity", from: 0, outcome: "corrupt" }];
    // The log reaches back to its beginning, so it can do without its snapshot.
    if (!path.endsWith(".log")) return [{ name: "snapshot", from: 0, outcome: "harmless" }];
    const ends = batchEnds(this.files.image(path));
    const end = ends.at(-1) ?? 0;
    const isNewest = path === this.files.segments.at(-1);
    const which = isNewest ? "newest segment" : "closed segment";
    const regions: { name: string; from: number; outcome: Outcome }[] = [
      { name: `${which}: header`, from: 0, outcome: "corrupt" },
      { name: `${which}: vouched batches`, from: SEGMENT_HEADER_BYTES, outcome: "corrupt" },
    ];
    if (isNewest) {
      const from = ends.at(-2) ?? 0;
      if (this.#isClosed) regions.push({ name: `${which}: the mark at its end`, from, outcome: "torn: nothing lost" });
      else regions.push({ name: `${which}: a last batch without a mark`, from, outcome: "torn: last batch dropped" });
    }
    regions.push({ name: `${which}: behind its end`, from: end, outcome: "harmless" });
    return regions;
  }
}

/** What was damaged, how often, and what became of it; and what was not as specified. */
export class DamageTable {
  /** The first few. */
  readonly wrong: string[] = [];
  readonly #counts = new Map<string, Map<string, number>>();

  add(region: string, outcome: string, expected: string, what: string): void {
    const row = this.#counts.get(region) ?? new Map<string, number>();
    this.#counts.set(region, row);
    row.set(outcome, (row.get(outcome) ?? 0) + 1);
    if (outcome !== expected && this.wrong.length < 10)
      this.wrong.push(`${what} (${region}): ${outcome}, not ${expected}`);
  }

  get #total(): number {
    let total = 0;
    for (const row of this.#counts.values()) for (const count of row.values()) total += count;
    return total;
  }

  summary(what: string): string {
    const lines = [...this.#counts].map(([region, row]) => {
      const outcomes = [...row].map(([outcome, count]) => `${count} ${outcome}`);
      return `  ${region.padEnd(44)} ${outcomes.join(", ")}`;
    });
    return [`${this.#total} ${what}:`, ...lines].join("\n");
  }
}
