import { expect, test } from "vitest";
import { FileError } from "../../src/platform/index.js";
import { Prng } from "../../src/sim/index.js";
import { dataPaths } from "../../src/storage/data-directory.js";
import { type DirectorySalvage, salvageDirectory } from "../../src/storage/directory-salvage.js";
import { loadIdentity } from "../../src/storage/identity.js";
import { readLog, scanLog } from "../../src/storage/index.js";
import { IDLE_MARK_MS } from "../../src/storage/limits.js";
import { TERMINATOR_BYTES } from "../../src/storage/log-end.js";
import { HandClock } from "./hand-clock.js";
import { ImageFiles } from "./image-files.js";
import { LogImage } from "./log-image.js";
import { RecordedFiles } from "./recorded-files.js";
import { append, DIR, entries, hardState, openStorage, plain, refuseSpares } from "./storages.js";

const KINDS = ["grown", "prepared", "recycled"] as const;
const SECTORS = [512, 4096] as const;
const CASES = KINDS.flatMap((segments) => SECTORS.map((sectorBytes) => [sectorBytes, segments] as const));

/** What may become of one sector. */
const FATES = ["zeroed", "destroyed", "as it was before the last batch"] as const;

function fate(which: (typeof FATES)[number], image: LogImage, at: number, sectorBytes: number): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  const prng = new Prng(`sector ${at}`);
  if (which === "destroyed") for (let i = 0; i < sectorBytes; i++) bytes[i] = prng.below(256);
  if (which === "as it was before the last batch") {
    bytes.set(image.earlier.image(image.newest).subarray(at, at + sectorBytes));
  }
  return bytes;
}

/** What became of each sector of the newest segment's log, one at a time. */
async function outcomes(image: LogImage, sectorBytes: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const bytes = image.files.image(image.newest);
  const whole = bytes.slice();
  for (let at = 0; at < bytes.length; at += sectorBytes) {
    for (const which of FATES) {
      bytes.set(fate(which, image, at, sectorBytes).subarray(0, bytes.length - at), at);
      found.add(await image.read());
      bytes.set(whole);
    }
  }
  return found;
}

test.each(CASES)(
  "F1 a log at rest survives the loss of any sector of %i bytes with a word, or unharmed: %s",
  async (sectorBytes, segments) => {
    const image = await LogImage.make({ entryBytes: 20_000, segmentBytes: 16_384, segments, isClosed: true });
    expect(image.newestFile).toBe(segments);
    const found = await outcomes(image, sectorBytes);
    expect([...found].filter((outcome) => !["corrupt", "harmless", "torn: nothing lost"].includes(outcome))).toEqual(
      [],
    );
    expect(found).toContain("corrupt");
  },
);

test.each(KINDS)(
  "nothing is dropped without a word, not even a last batch that nothing vouches for: %s",
  async (segments) => {
    const image = await LogImage.make({ entryBytes: 20_000, segmentBytes: 16_384, segments, isClosed: false });
    const bytes = image.files.image(image.newest);
    const whole = bytes.slice();
    const last = Buffer.from(bytes.subarray(0, image.end(image.newest))).lastIndexOf("BTCH");
    for (const zeros of [
      [last, last + 8],
      [last, bytes.length],
      [image.end(image.newest) - 1, bytes.length],
    ] as const) {
      bytes.fill(0, ...zeros);
      expect(await image.read()).toBe("torn: last batch dropped");
      bytes.set(whole);
    }
    // The terminator alone: all is there, but nobody can know that it is all.
    bytes.fill(0, image.end(image.newest));
    expect(await image.read()).toBe("torn: nothing lost");
  },
);

/** Two entries, silence, and two more that share a sector with them. */
async function marked(): Promise<{ readonly files: ImageFiles; readonly batches: readonly number[] }> {
  const recorded = new RecordedFiles();
  refuseSpares(recorded);
  const clock = new HandClock();
  const storage = await openStorage(recorded, { clock });
  await append(storage, { hardState: hardState(1, 5, 1), entries: entries(1, 1, 1) });
  await append(storage, { hardState: hardState(2, 5, 1), entries: entries(2, 2, 2) });
  for (let turn = 0; turn < 20; turn++) {
    clock.pass(IDLE_MARK_MS);
    await new Promise(setImmediate);
  }
  await append(storage, { hardState: hardState(3, 6, 2), entries: entries(3, 4, 3) });
  const files = ImageFiles.of(recorded.disk, DIR);
  const batches: number[] = [];
  for await (const record of scanLog(files, DIR)) if (record.kind === "batch") batches.push(record.offset);
  return { files, batches };
}

async function salvage(files: ImageFiles): Promise<DirectorySalvage> {
  const paths = dataPaths(DIR);
  return salvageDirectory(files, paths, await loadIdentity(files, paths.identity));
}

test("a witness that later batches have left in its place is no part of the log, and vouches for nothing that came later", async () => {
  const { files, batches } = await marked();
  const bytes = files.image(files.path(".log"));
  expect(Buffer.from(bytes).readUInt32LE(4096)).toBe(0x48435442);
  const sound = await readLog(files, DIR);
  expect([sound.torn, sound.hardState]).toEqual([undefined, hardState(3, 6, 2)]);
  expect(plain(sound.entries)).toEqual(plain([...entries(1, 1, 1), ...entries(2, 2, 2), ...entries(3, 4, 3)]));
  // The fresh segment's batch, the two before the silence, the mark, the last one.
  expect(batches.length).toBe(5);
  const last = batches.at(-1) ?? 0;
  bytes.fill(0, last, last + 60);
  const torn = await readLog(files, DIR);
  expect([torn.torn?.offset, torn.hardState]).toEqual([last, hardState(2, 5, 1)]);
  expect((await salvage(files)).damages).toEqual([]);
});

test("what is lost before a witness is damage, and the witness says what the log was", async () => {
  const { files, batches } = await marked();
  const [, , second = 0] = batches;
  files.image(files.path(".log")).fill(0, second, 4096);
  await expect(readLog(files, DIR)).rejects.toMatchObject({ code: "corrupt" });
  const { log, damages } = await salvage(files);
  expect(damages.map(({ offset }) => offset)).toEqual([second]);
  expect([log.endKnown, log.lastIndex, log.hardState]).toEqual([true, 2, hardState(2, 5, 1)]);
  expect(log.lost()).toMatchObject([
    { first: 2, last: 2, after: { index: 1, term: 1 }, anchor: { index: 2, term: 2 } },
  ]);
});

test("what cannot be read before a witness may have been later than the witness: the end is not known", async () => {
  const { files, batches } = await marked();
  const [, , second = 0] = batches;
  const path = files.path(".log");
  const open = files.open.bind(files);
  files.open = async (opened, mode) => {
    const file = await open(opened, mode);
    const read = file.read.bind(file);
    file.read = (position, lengthBytes) => {
      const isHit = opened === path && position < 4096 && position + lengthBytes > second;
      return isHit ? Promise.reject(new FileError("io", path, "unreadable")) : read(position, lengthBytes);
    };
    return file;
  };
  expect((await salvage(files)).log.endKnown).toBe(false);
});

test("a terminator that was not written with its batch is a torn end, and nothing is missing", async () => {
  const { files } = await marked();
  const path = files.path(".log");
  const bytes = files.image(path);
  const end = Buffer.from(bytes).indexOf("ENDS");
  files.images.set(path, bytes.slice(0, end + TERMINATOR_BYTES - 1));
  const log = await readLog(files, DIR);
  expect([log.torn?.offset, log.entries.length]).toEqual([end, 4]);
});
