import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { Prng, type SimDisk } from "../../src/sim/index.js";
import { ImageFiles } from "./image-files.js";
import { DamageTable, LogImage } from "./log-image.js";
import { RecordedFiles } from "./recorded-files.js";
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
const LIMIT_MS = 60_000 + 600_000 / STRIDE;

/** Half a million errors, of which nobody reads the stack. */
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

const LOGS = [
  ["vouched for", true],
  ["with an unvouched last batch", false],
] as const;

async function soundLog(isClosed: boolean): Promise<LogImage> {
  const log = await LogImage.make(ENTRY_BYTES, SEGMENT_BYTES, isClosed);
  expect(await log.read()).toBe("harmless");
  expect(log.logBytes).toBeGreaterThanOrEqual(LOG_BYTES);
  expect(log.files.segments.length).toBeGreaterThan(3);
  return log;
}

/** Without a mark the newest segment is another, the others are as they are with one. */
function pathsOf(log: LogImage, isClosed: boolean): readonly string[] {
  return isClosed ? [...log.files.images.keys()] : [log.files.segments.at(-1) ?? ""];
}

test.each(LOGS)(
  "every bit of a log %s, flipped, is detected or harmless, as specified",
  async (_, isClosed) => {
    const log = await soundLog(isClosed);
    const table = new DamageTable();
    for (const path of pathsOf(log, isClosed)) {
      const bytes = log.files.image(path);
      const end = log.end(path) * 8;
      for (let bit = 0; bit < bytes.length * 8; bit += bit < end ? STRIDE : STRIDE * BLANK_STRIDE) {
        const at = bit >>> 3;
        const mask = 1 << (bit & 7);
        bytes[at] = (bytes[at] as number) ^ mask;
        const { name, outcome } = log.region(path, at);
        table.add(name, await log.read(), outcome, `${path} bit ${bit}`);
        bytes[at] = bytes[at] ^ mask;
      }
    }
    console.log(table.summary("bits flipped, one at a time"));
    expect(table.wrong).toEqual([]);
  },
  LIMIT_MS,
);

test.each(LOGS)(
  "every file of a log %s, cut at every length, is detected, or ends at a whole batch",
  async (_, isClosed) => {
    const log = await soundLog(isClosed);
    const table = new DamageTable();
    const stride = Math.max(1, STRIDE >>> 3);
    for (const path of pathsOf(log, isClosed)) {
      const whole = log.files.image(path);
      const end = log.end(path);
      for (let length = 0; length < whole.length; length += length < end ? stride : stride * BLANK_STRIDE) {
        const { name, outcome } = log.cut(path, length);
        log.files.images.set(path, whole.slice(0, length));
        table.add(name, await log.read(), outcome, `${path} cut at ${length}`);
        log.files.images.set(path, whole);
      }
    }
    console.log(table.summary("lengths at which a file ends"));
    expect(table.wrong).toEqual([]);
  },
  LIMIT_MS,
);

test("a log that is refused is left as it is: opened for writing, with a bit flipped here and there", async () => {
  const { files } = await LogImage.record(ENTRY_BYTES, SEGMENT_BYTES, true);
  const prng = new Prng(`refused ${randomInt(2 ** 40)}`);
  const log = await soundLog(true);
  for (let i = 0; i < 40; i++) {
    const disk = files.disk.fork();
    const path = prng.pick(log.files.segments.slice(0, -1));
    flipBit(disk, path, prng.below(log.end(path) * 8));
    const opening = new RecordedFiles(disk);
    await expect(openStorage(opening)).rejects.toMatchObject({ code: "corrupt" });
    expect(opening.journal).toEqual([]);
  }
});

test(
  "every bit of a snapshot that the log needs, flipped, is detected before its content is used",
  async () => {
    const files = new RecordedFiles();
    const storage = await openStorage(files, { segmentBytes: 512 });
    await append(storage, { hardState: hardState(1, 0, 5), entries: entries(1, 5, 1) });
    await append(storage, { entries: entries(6, 9, 1) });
    await takeSnapshot(storage, 5, 1, [new Uint8Array(200).fill(7), new Uint8Array(30).fill(9)]);
    storage.compact(5);
    await storage.close();
    const [path = ""] = ImageFiles.of(files.disk, DIR).snapshots;
    const table = new DamageTable();
    const use = async (disk: SimDisk): Promise<string> => {
      try {
        const opened = await openStorage(new RecordedFiles(disk));
        return `content of ${(await contentOf(opened)).length} bytes`;
      } catch (error) {
        if (error instanceof BalsaError) return error.code;
        throw error;
      }
    };
    const { sizeBytes } = files.disk.open(path, "read");
    for (let bit = 0; bit < sizeBytes * 8; bit += Math.ceil(STRIDE / 16)) {
      const disk = files.disk.fork();
      flipBit(disk, path, bit);
      table.add("snapshot", await use(disk), "corrupt", `bit ${bit}`);
    }
    console.log(table.summary("bits flipped, one at a time"));
    expect(table.wrong).toEqual([]);
    expect(await use(files.disk)).toBe("content of 230 bytes");
  },
  LIMIT_MS,
);

function flipBit(disk: SimDisk, path: string, bit: number): void {
  const file = disk.open(path, "write");
  const [byte = 0] = file.read(bit >>> 3, 1);
  file.write(disk.nextSequence(), bit >>> 3, new Uint8Array([byte ^ (1 << (bit & 7))]));
}

test(
  "sectors of a vouched log zeroed, repeated and swapped, in every pair, are detected or harmless",
  async () => {
    const log = await soundLog(true);
    const table = new DamageTable();
    const sectors = log.files.segments.flatMap((path) => {
      const count = Math.floor(log.files.image(path).length / SECTOR_BYTES);
      return Array.from({ length: count }, (_, i) => ({ path, at: i * SECTOR_BYTES }));
    });
    const content = ({ path, at }: (typeof sectors)[number]): Uint8Array =>
      log.files.image(path).slice(at, at + SECTOR_BYTES);
    const zeros = new Uint8Array(SECTOR_BYTES);
    const tryWith = async (what: string, changes: readonly (readonly [(typeof sectors)[number], Uint8Array])[]) => {
      const whole = changes.map(([sector]) => content(sector));
      const changed = changes.filter(([, bytes], i) => Buffer.compare(bytes, whole[i] as Uint8Array) !== 0);
      if (changed.length === 0) return;
      // The first byte that differs says where it is: behind the log's end all is harmless.
      const expected = changed.map(([sector, bytes]) => {
        const before = content(sector);
        return log.region(sector.path, sector.at + bytes.findIndex((byte, i) => byte !== before[i])).outcome;
      });
      const put = ([{ path, at }, bytes]: readonly [(typeof sectors)[number], Uint8Array]) =>
        log.files.image(path).set(bytes, at);
      changes.forEach(put);
      const worst = expected.includes("corrupt")
        ? "corrupt"
        : (expected.find((each) => each !== "harmless") ?? "harmless");
      table.add(
        what,
        await log.read(),
        worst,
        `${what} ${changes.map(([{ path, at }]) => `${path} ${at}`).join(", ")}`,
      );
      changes.forEach(([sector], i) => put([sector, whole[i] as Uint8Array]));
    };
    let pair = 0;
    for (const one of sectors) {
      await tryWith("a sector zeroed", [[one, zeros]]);
      for (const other of sectors) {
        if (other === one || pair++ % STRIDE !== 0) continue;
        await tryWith("a sector in another one's place", [[one, content(other)]]);
        await tryWith("two sectors swapped", [
          [one, content(other)],
          [other, content(one)],
        ]);
      }
    }
    console.log(table.summary("damages of whole sectors"));
    expect(table.wrong).toEqual([]);
  },
  LIMIT_MS,
);

test("each segment in each other one's place, and each one missing, is detected", async () => {
  const log = await soundLog(true);
  const table = new DamageTable();
  const { segments, images } = log.files;
  for (const path of segments) {
    const whole = log.files.image(path);
    for (const other of segments) {
      if (other === path) continue;
      images.set(path, log.files.image(other));
      table.add("another segment in its place", await log.read(), "corrupt", `${other} as ${path}`);
    }
    // A newest segment that somebody removed cannot be told from one that was never made.
    if (path !== segments.at(-1)) {
      images.delete(path);
      table.add("a segment missing", await log.read(), "corrupt", `${path} removed`);
    }
    images.set(path, whole);
  }
  console.log(table.summary("damages of whole files"));
  expect(table.wrong).toEqual([]);
});
