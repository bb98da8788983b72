import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { Prng, type SimDisk } from "../../src/sim/index.js";
import { DamageTable } from "./damage-table.js";
import { ImageFiles } from "./image-files.js";
import { LogImage, type LogImageOptions } from "./log-image.js";
import { RecordedFiles } from "./recorded-files.js";
import { byteDamage, differences, type Outcome } from "./segment-anatomy.js";
import { append, contentOf, DIR, entries, hardState, openStorage, takeSnapshot } from "./storages.js";

/** Of the bits, lengths and pairs of sectors one in so many is tried; `npm run deep` tries them all. */
const STRIDE = Number(process.env["BALSA_STRIDE"] ?? 251);
const LOG_BYTES = 65_536;
/** Of the entries in it. */
const ENTRY_BYTES = 57_000;
/** Behind the log's end, in files that were given their size beforehand, one byte is as good as another. */
const BLANK_STRIDE = 61;
const SEGMENT_BYTES = 16_384;
const SECTOR_BYTES = 512;
const PIECE_BYTES = 8;
/** Of the pairs, some 30,000, one in so many: a neighbour in another file says no more than this one. */
const PAIR_STRIDE = 3;
/** Ends what hangs, and nothing else: all bits take minutes, and a quarter of an hour where the machine has other work. */
const LIMIT_MS = 60_000 + 5_400_000 / STRIDE;

/** Half a million errors, of which nobody reads the stack. */
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

interface Log extends Pick<LogImageOptions, "segments" | "isClosed"> {
  readonly name: string;
}

const PREPARED: Log = { name: "in prepared files, vouched for", segments: "prepared", isClosed: true };
const GROWN: Log = { name: "in files that grew, vouched for", segments: "grown", isClosed: true };
const RECYCLED: Log = { name: "in recycled files, vouched for", segments: "recycled", isClosed: true };
/** All that differs in the others lies in their newest segment. */
const OTHERS_STRIDE = 4;
const OTHERS: readonly Log[] = [
  GROWN,
  RECYCLED,
  { name: "in prepared files, its last batch unvouched", segments: "prepared", isClosed: false },
  { name: "in files that grew, its last batch unvouched", segments: "grown", isClosed: false },
  { name: "in recycled files, its last batch unvouched", segments: "recycled", isClosed: false },
];

async function soundLog(log: Log): Promise<LogImage> {
  const image = await LogImage.make({ entryBytes: ENTRY_BYTES, segmentBytes: SEGMENT_BYTES, ...log });
  expect(await image.read()).toBe("harmless");
  expect([image.newestFile, image.files.segments.length > 2]).toEqual([log.segments, true]);
  return image;
}

function pathsOf(log: Log, image: LogImage): readonly string[] {
  return log === PREPARED ? [...image.files.images.keys()] : [image.newest];
}

test("the log is as large as it is said to be", async () => {
  expect((await soundLog(PREPARED)).logBytes).toBeGreaterThanOrEqual(LOG_BYTES);
});

test.each([PREPARED, ...OTHERS])(
  "bits of a log $name, flipped one at a time, are detected or harmless, as specified",
  async (log) => {
    const image = await soundLog(log);
    const table = new DamageTable();
    // Every bit of one log; of the others, which differ little, one in some, another one each time.
    const stride = log === PREPARED ? STRIDE : STRIDE * OTHERS_STRIDE;
    const first = stride === 1 ? 0 : randomInt(stride);
    for (const path of pathsOf(log, image)) {
      const bytes = image.files.image(path);
      const end = (image.end(path) + 16) * 8;
      for (let bit = first; bit < bytes.length * 8; bit += bit < end ? stride : stride * BLANK_STRIDE) {
        const at = bit >>> 3;
        const mask = 1 << (bit & 7);
        bytes[at] = (bytes[at] as number) ^ mask;
        table.add(image.damaged(path, byteDamage(at)), await image.read(), `${path} bit ${bit}`);
        bytes[at] ^= mask;
      }
    }
    console.log(table.summary(`bits of a log ${log.name}: flipped one at a time`));
    expect(table.wrong).toEqual([]);
  },
  LIMIT_MS,
);

test.each([PREPARED, ...OTHERS])(
  "every file of a log $name, cut at every length, is detected, or ends as a shorter one would",
  async (log) => {
    const image = await soundLog(log);
    const table = new DamageTable();
    const stride = Math.max(1, STRIDE >>> 3);
    for (const path of pathsOf(log, image)) {
      const whole = image.files.image(path);
      const end = image.end(path);
      for (let length = 0; length < whole.length; length += length < end ? stride : stride * BLANK_STRIDE) {
        image.files.images.set(path, whole.slice(0, length));
        table.add(image.cutAt(path, length), await image.read(), `${path} cut at ${length}`);
        image.files.images.set(path, whole);
      }
    }
    console.log(table.summary(`lengths at which a file ends, of a log ${log.name}`));
    expect(table.wrong).toEqual([]);
  },
  LIMIT_MS,
);

test("a log that is refused is left as it is: opened for writing, with a bit flipped here and there", async () => {
  const image = await soundLog(PREPARED);
  const prng = new Prng(`refused ${randomInt(2 ** 40)}`);
  for (let i = 0; i < 40; i++) {
    const disk = image.recorded.disk.fork();
    const path = prng.pick(image.files.segments.slice(0, -1));
    flipBit(disk, path, prng.below(image.end(path) * 8));
    const opening = new RecordedFiles(disk);
    await expect(openStorage(opening)).rejects.toMatchObject({ code: "corrupt" });
    expect(opening.journal).toEqual([]);
  }
});

/** A log that begins behind its snapshot, and whoever opens it. */
class NeededSnapshot {
  readonly path: string;
  /** Of its file. */
  readonly bytes: Uint8Array;
  readonly #disk: SimDisk;

  private constructor(disk: SimDisk, path: string) {
    this.#disk = disk;
    this.path = path;
    const file = disk.open(path, "read");
    this.bytes = file.read(0, file.sizeBytes);
  }

  static async make(): Promise<NeededSnapshot> {
    const files = new RecordedFiles();
    const storage = await openStorage(files, { segmentBytes: 512 });
    await append(storage, { hardState: hardState(1, 0, 5), entries: entries(1, 5, 1) });
    await append(storage, { entries: entries(6, 9, 1) });
    await takeSnapshot(storage, 5, 1, [new Uint8Array(200).fill(7), new Uint8Array(30).fill(9)]);
    storage.compact(5);
    await storage.close();
    const [path = ""] = ImageFiles.of(files.disk, DIR).snapshots;
    return new NeededSnapshot(files.disk, path);
  }

  /** What comes of opening the directory, and of reading all of the snapshot, with such a file in its place. */
  async use(bytes: Uint8Array): Promise<string> {
    const disk = this.#disk.fork();
    const file = disk.open(this.path, "write");
    file.resize(disk.nextSequence(), bytes.length);
    file.write(disk.nextSequence(), 0, bytes);
    try {
      const opened = await openStorage(new RecordedFiles(disk));
      return `content of ${(await contentOf(opened)).length} bytes`;
    } catch (error) {
      if (error instanceof BalsaError) return error.code;
      throw error;
    }
  }
}

const NEEDED = { region: "a snapshot that is needed", outcome: "corrupt" } as const;

test(
  "every bit of a snapshot that the log needs, flipped, is detected before its content is used",
  async () => {
    const snapshot = await NeededSnapshot.make();
    const table = new DamageTable();
    const { bytes } = snapshot;
    for (let bit = 0; bit < bytes.length * 8; bit += Math.ceil(STRIDE / 16)) {
      const flipped = bytes.slice();
      flipped[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
      table.add(NEEDED, await snapshot.use(flipped), `bit ${bit}`);
    }
    console.log(table.summary("bits flipped, one at a time"));
    expect(table.wrong).toEqual([]);
    expect(await snapshot.use(bytes)).toBe("content of 230 bytes");
  },
  LIMIT_MS,
);

test(
  "a snapshot that the log needs, cut at every length, longer than it was, or its pieces mixed up, is detected",
  async () => {
    const snapshot = await NeededSnapshot.make();
    const { bytes } = snapshot;
    const lengths = new DamageTable();
    for (let length = 0; length < bytes.length; length += Math.ceil(STRIDE / 16)) {
      lengths.add(NEEDED, await snapshot.use(bytes.subarray(0, length)), `cut at ${length}`);
    }
    for (const more of [1, SECTOR_BYTES]) {
      const longer = new Uint8Array(bytes.length + more);
      longer.set(bytes);
      lengths.add(NEEDED, await snapshot.use(longer), `${more} bytes longer`);
    }
    console.log(lengths.summary("lengths at which its file ends"));
    expect(lengths.wrong).toEqual([]);

    // It is smaller than a sector: the pieces are.
    const mixed = new DamageTable();
    const pieces = Array.from({ length: Math.floor(bytes.length / PIECE_BYTES) }, (_, i) => i * PIECE_BYTES);
    const tryPieces = async (what: string, ...moved: readonly [number, Uint8Array][]): Promise<void> => {
      const changed = bytes.slice();
      for (const [at, piece] of moved) changed.set(piece, at);
      if (differences(bytes, changed) !== undefined) mixed.add(NEEDED, await snapshot.use(changed), what);
    };
    const piece = (at: number): Uint8Array => bytes.subarray(at, at + PIECE_BYTES);
    let pair = 0;
    for (const one of pieces) {
      await tryPieces(`zeros at ${one}`, [one, new Uint8Array(PIECE_BYTES)]);
      for (const other of pieces) {
        if (other === one || pair++ % Math.ceil(STRIDE / 16) !== 0) continue;
        await tryPieces(`${other} at ${one}`, [one, piece(other)]);
        await tryPieces(`${other} and ${one} swapped`, [one, piece(other)], [other, piece(one)]);
      }
    }
    console.log(mixed.summary("damages of pieces of it: zeroed, repeated, swapped"));
    expect(mixed.wrong).toEqual([]);
  },
  LIMIT_MS,
);

function flipBit(disk: SimDisk, path: string, bit: number): void {
  const file = disk.open(path, "write");
  const [byte = 0] = file.read(bit >>> 3, 1);
  file.write(disk.nextSequence(), bit >>> 3, new Uint8Array([byte ^ (1 << (bit & 7))]));
}

/** Some bytes put over others: a misdirected write. */
interface Overwrite {
  readonly path: string;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Tries it, and puts back what was there. */
async function tryOverwrites(
  image: LogImage,
  table: DamageTable,
  region: string,
  overwrites: readonly Overwrite[],
): Promise<void> {
  const before = new Map(overwrites.map(({ path }) => [path, image.files.image(path).slice()]));
  for (const { path, at, bytes } of overwrites) image.files.image(path).set(bytes, at);
  const outcomes: string[] = [];
  for (const [path, whole] of before) {
    const damage = differences(whole, image.files.image(path));
    if (damage !== undefined) outcomes.push(image.damaged(path, damage).outcome);
  }
  if (outcomes.length > 0) {
    const outcome = outcomes.includes("corrupt")
      ? "corrupt"
      : (outcomes.find((each) => each !== "harmless") ?? "harmless");
    const what = `${region} ${overwrites.map(({ path, at }) => `${path} ${at}`).join(", ")}`;
    table.add({ region, outcome: outcome as Outcome }, await image.read(), what);
  }
  for (const [path, whole] of before) image.files.image(path).set(whole);
}

test.each([PREPARED, GROWN, RECYCLED])(
  "sectors of a log $name, zeroed, repeated and swapped, in every pair, are detected or harmless",
  async (log) => {
    const image = await soundLog(log);
    const table = new DamageTable();
    const zeros = new Uint8Array(SECTOR_BYTES);
    const sectors = image.files.segments.flatMap((path) => {
      const bytes = image.files.image(path);
      const count = Math.floor(bytes.length / SECTOR_BYTES);
      return Array.from({ length: count }, (_, i) => ({
        path,
        at: i * SECTOR_BYTES,
        bytes: bytes.slice(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES),
      }));
    });
    let pair = 0;
    for (const one of sectors) {
      await tryOverwrites(image, table, "a sector zeroed", [{ ...one, bytes: zeros }]);
      for (const other of sectors) {
        if (other === one || pair++ % (STRIDE * PAIR_STRIDE) !== 0) continue;
        const misdirected = { ...one, bytes: other.bytes };
        await tryOverwrites(image, table, "a sector in another one's place", [misdirected]);
        await tryOverwrites(image, table, "two sectors swapped", [misdirected, { ...other, bytes: one.bytes }]);
      }
    }
    console.log(table.summary(`damages of whole sectors, of a log ${log.name}`));
    expect(table.wrong).toEqual([]);
  },
  LIMIT_MS,
);

test.each([PREPARED, GROWN, RECYCLED])(
  "each segment of a log $name in each other one's place, and each one missing, is detected",
  async (log) => {
    const image = await soundLog(log);
    const table = new DamageTable();
    const { segments, images } = image.files;
    for (const path of segments) {
      const whole = image.files.image(path);
      for (const other of segments) {
        if (other === path) continue;
        images.set(path, image.files.image(other));
        const verdict = { region: "another segment in its place", outcome: "corrupt" } as const;
        table.add(verdict, await image.read(), `${other} as ${path}`);
      }
      // A newest segment that somebody removed cannot be told from one that was never made.
      if (path !== segments.at(-1)) {
        images.delete(path);
        table.add({ region: "a segment missing", outcome: "corrupt" }, await image.read(), `${path} removed`);
      }
      images.set(path, whole);
    }
    console.log(table.summary(`damages of whole files, of a log ${log.name}`));
    expect(table.wrong).toEqual([]);
  },
);
