import { expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { readLog } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { difference, type Found, type ModelState } from "./log-model.js";
import { RecordedFiles } from "./recorded-files.js";
import { append, contentOf, DIR, entries, hardState, openStorage, refuseSpares, takeSnapshot } from "./storages.js";

/** What a small log holds: two segments behind a snapshot, with entries of two terms. */
const STATE: ModelState = {
  hardState: hardState(2, 7, 22),
  base: { index: 0, term: 0 },
  entries: [...entries(1, 19, 1, 30), ...entries(20, 30, 2, 40)],
};
/** What it held before its last batch. */
const BEFORE: ModelState = { ...STATE, entries: STATE.entries.slice(0, 27) };

/** @param isClosed with a mark behind the last batch */
async function smallLog(isClosed: boolean, arePrepared = true): Promise<ImageFiles> {
  const files = new RecordedFiles();
  if (!arePrepared) refuseSpares(files);
  const storage = await openStorage(files, { segmentBytes: 1600 });
  await append(storage, { hardState: hardState(1, 0, 0), entries: entries(1, 10, 1, 30) });
  await append(storage, { hardState: hardState(1, 0, 11), entries: entries(11, 22, 1, 30) });
  await takeSnapshot(storage, 10, 1);
  storage.compact(10);
  await append(storage, { hardState: hardState(2, 7, 11), entries: entries(20, 24, 2, 40) });
  await append(storage, { entries: entries(25, 27, 2, 40), hardState: hardState(2, 7, 22) });
  await append(storage, { entries: entries(28, 30, 2, 40) });
  if (isClosed) await storage.close();
  return ImageFiles.of(files.disk, DIR);
}

/** What became of a damaged directory. */
type Outcome = "whole" | "before" | "corrupt";

async function outcome(files: ImageFiles): Promise<Outcome> {
  let found: Found & { readonly torn: unknown };
  try {
    found = await readLog(files, DIR);
  } catch (error) {
    if (!(error instanceof BalsaError) || error.code !== "corrupt") throw error;
    if (!/^\/data\/a\/\S+ is damaged at offset \d+/.test(error.message)) throw error;
    return "corrupt";
  }
  if (difference(STATE, found) === undefined) return "whole";
  // What is dropped is dropped with a word.
  expect(found.torn).toBeDefined();
  expect(difference(BEFORE, found)).toBeUndefined();
  return "before";
}

/** Offset of the last batch in a segment: where its magic is found last. */
function lastBatch(bytes: Uint8Array): number {
  return Buffer.from(bytes).lastIndexOf("BTCH");
}

/** Where a segment's part of the log ends: where its successor says, or behind the last batch. */
function endOfLog(files: ImageFiles, path: string): number {
  const successor = files.segments[files.segments.indexOf(path) + 1];
  if (successor !== undefined) return Buffer.from(files.image(successor)).readUInt32LE(72);
  const bytes = Buffer.from(files.image(path));
  const last = lastBatch(bytes);
  return last + bytes.readUInt32LE(last + 8) + bytes.readUInt32LE(last + 12);
}

/** Flips one bit after the other; gives those whose outcome is another than expected of their byte. */
async function flipEveryBit(
  files: ImageFiles,
  path: string,
  expected: (at: number) => Outcome,
): Promise<readonly string[]> {
  const bytes = files.image(path);
  const wrong: string[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >>> 3;
    const byte = bytes[at] as number;
    bytes[at] = byte ^ (1 << (bit & 7));
    const actual = await outcome(files);
    if (actual !== expected(at)) wrong.push(`bit ${bit}: ${actual}`);
    bytes[at] = byte;
  }
  return wrong;
}

test("every bit of a closed log, flipped, is detected or harmless", async () => {
  const files = await smallLog(true);
  expect(await outcome(files)).toBe("whole");
  expect(files.segments.length).toBeGreaterThan(1);
  const newest = files.segments.at(-1);
  let flips = 0;
  for (const path of [files.path("/identity"), ...files.segments]) {
    const bytes = files.image(path);
    // The mark brings nothing but a commit index; everything else is vouched for. What was only prepared says nothing.
    let mark = path === newest ? lastBatch(bytes) : bytes.length;
    if (path !== newest && path.endsWith(".log")) mark = endOfLog(files, path);
    const wrong = await flipEveryBit(files, path, (at) => (at < mark ? "corrupt" : "whole"));
    expect([path, wrong]).toEqual([path, []]);
    flips += bytes.length * 8;
  }
  expect(flips).toBeGreaterThan(16_000);
});

test("every bit of a log that nothing vouched for: damage to the last batch is taken for a torn write, no other", async () => {
  const files = await smallLog(false);
  const path = files.segments.at(-1) ?? "";
  const bytes = files.image(path);
  const [last, end] = [lastBatch(bytes), endOfLog(files, path)];
  const expected = (at: number): Outcome => (at < last ? "corrupt" : at < end ? "before" : "whole");
  expect(await flipEveryBit(files, path, expected)).toEqual([]);
});

test("every file cut at every length is detected, or ends at the last whole batch of one that was never longer", async () => {
  const files = await smallLog(false, false);
  const newest = files.segments.at(-1);
  const wrong: string[] = [];
  for (const path of [files.path("/identity"), ...files.segments, ...files.snapshots]) {
    const whole = files.image(path);
    const last = path === newest ? lastBatch(whole) : whole.length;
    for (let length = 0; length < whole.length; length++) {
      files.images.set(path, whole.slice(0, length));
      // A cut right behind a batch is what a log looks like that was never longer.
      const actual = length === last ? await outcomeOfCleanCut(files) : await outcome(files);
      if (actual !== (length < last ? "corrupt" : "before")) wrong.push(`${path} at ${length}: ${actual}`);
    }
    files.images.set(path, whole);
  }
  expect(wrong).toEqual([]);
});

test("a prepared segment that was cut is detected, wherever it was", async () => {
  const files = await smallLog(false);
  for (const path of files.segments.slice(1)) {
    const whole = files.image(path);
    expect(whole.length).toBe(1600);
    for (let length = 0; length < whole.length; length++) {
      files.images.set(path, whole.slice(0, length));
      expect([path, length, await outcome(files)]).toEqual([path, length, "corrupt"]);
    }
    files.images.set(path, whole);
  }
});

async function outcomeOfCleanCut(files: ImageFiles): Promise<Outcome> {
  return difference(BEFORE, await readLog(files, DIR)) === undefined ? "before" : "whole";
}

test("zeroed, swapped and repeated blocks of a vouched log are detected", async () => {
  const files = await smallLog(true);
  const block = 64;
  for (const path of files.segments) {
    const whole = files.image(path);
    const end = path === files.segments.at(-1) ? lastBatch(whole) : whole.length;
    for (let at = 0; at + 2 * block <= end; at += block) {
      const first = whole.slice(at, at + block);
      const second = whole.slice(at + block, at + 2 * block);
      const variants = [
        [new Uint8Array(block), second],
        [second, first],
        [first, first],
      ];
      for (const [i, pieces] of variants.entries()) {
        const changed = whole.slice();
        pieces.forEach((piece, j) => {
          changed.set(piece, at + j * block);
        });
        if (Buffer.compare(changed, whole) === 0) continue;
        files.images.set(path, changed);
        expect([path, at, i, await outcome(files)]).toEqual([path, at, i, "corrupt"]);
      }
    }
    files.images.set(path, whole);
  }
});

test("an old segment in place of a new one is detected, and so is a missing one", async () => {
  const files = await smallLog(true);
  const [older, newer] = [files.segments.at(-2) ?? "", files.segments.at(-1) ?? ""];
  const [olderBytes, newerBytes] = [files.image(older), files.image(newer)];
  files.images.set(newer, olderBytes);
  expect(await outcome(files)).toBe("corrupt");
  files.images.set(newer, newerBytes);
  files.images.set(older, newerBytes);
  expect(await outcome(files)).toBe("corrupt");
  files.images.delete(older);
  expect(await outcome(files)).toBe("corrupt");
});

/** The same directory twice (a backup that was put back, say), with other payloads in entries 4 to 6. */
async function twoHistories(segmentBytes: number): Promise<readonly [ImageFiles, ImageFiles]> {
  const history = async (mask: number): Promise<ImageFiles> => {
    const files = new RecordedFiles();
    const storage = await openStorage(files, { segmentBytes });
    await append(storage, { entries: entries(1, 3, 1) });
    const changed = entries(4, 6, 1).map((each) => ({ ...each, data: each.data.map((byte) => byte ^ mask) }));
    await append(storage, { entries: changed });
    await append(storage, { entries: entries(7, 9, 1) });
    await storage.close();
    return ImageFiles.of(files.disk, DIR);
  };
  return [await history(1), await history(2)];
}

function batchesOf(bytes: Uint8Array): readonly number[] {
  return [...Buffer.from(bytes).toString("latin1").matchAll(/BTCH/g)].map(({ index }) => index);
}

test("a batch of another history in its very place is detected by the chain", async () => {
  const [ours, theirs] = await twoHistories(65_536);
  const path = ours.path(".log");
  const [, , from = 0, to = 0] = batchesOf(ours.image(path));
  ours.image(path).set(theirs.image(path).subarray(from, to), from);
  await expect(readLog(ours, DIR)).rejects.toThrow("does not follow the one before it");
});

test("an entry of another history in its very place is detected by its identity", async () => {
  const [ours, theirs] = await twoHistories(65_536);
  const path = ours.path(".log");
  const [, , batch = 0, to = 0] = batchesOf(ours.image(path));
  const from = batch + 120 + 3 * 8 + 24;
  ours.image(path).set(theirs.image(path).subarray(from, to), from);
  await expect(readLog(ours, DIR)).rejects.toThrow("index 4, term 1: an entry is not the one that was written here");
});

test("a segment of another history in its very place is detected by its successor's link", async () => {
  const [ours, theirs] = await twoHistories(700);
  const path = ours.segments.at(-2) ?? "";
  expect(theirs.image(path).length).toBe(ours.image(path).length);
  ours.images.set(path, theirs.image(path));
  await expect(readLog(ours, DIR)).rejects.toThrow("does not end as its successor says");
});

test("a missing snapshot is corruption once the log behind it is gone", async () => {
  const files = await smallLog(true);
  files.images.delete(files.snapshots[0] ?? "");
  expect(await outcome(files)).toBe("corrupt");
});

test("corruption says which file, offset, index and term", async () => {
  const files = await smallLog(true);
  const path = files.segments.at(-1) ?? "";
  const bytes = files.image(path);
  // The first byte of entry 26's payload: 40 times the same pattern, found by its header's index and term.
  const header = Buffer.alloc(16);
  header.writeBigUInt64LE(2n, 0);
  header.writeBigUInt64LE(26n, 8);
  const at = Buffer.from(bytes).indexOf(header) + header.length;
  expect(at).toBeGreaterThan(header.length);
  bytes[at] = (bytes[at] as number) ^ 1;
  await expect(readLog(files, DIR)).rejects.toThrow(
    `${path} is damaged at offset ${at - 28}, index 26, term 2: an entry's checksum does not fit`,
  );
});

test("every bit of a snapshot, flipped, is detected before its content is used", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 512 });
  await append(storage, { hardState: hardState(1, 0, 5), entries: entries(1, 5, 1) });
  await append(storage, { entries: entries(6, 9, 1) });
  await takeSnapshot(storage, 5, 1, [new Uint8Array(200).fill(7), new Uint8Array(30).fill(9)]);
  storage.compact(5);
  await storage.close();
  const path = `${DIR}/snapshots/${files.disk.list(`${DIR}/snapshots`)[0]}`;
  const { sizeBytes } = files.disk.open(path, "read");
  for (let bit = 0; bit < sizeBytes * 8; bit++) {
    const flip = (): void => {
      const file = files.disk.open(path, "write");
      const [byte] = file.read(bit >>> 3, 1);
      file.write(files.disk.nextSequence(), bit >>> 3, new Uint8Array([(byte ?? 0) ^ (1 << (bit & 7))]));
    };
    flip();
    let result: string;
    try {
      const again = await openStorage(files);
      try {
        result = `content of ${(await contentOf(again)).length} bytes`;
      } catch (error) {
        result = error instanceof BalsaError ? error.code : String(error);
      } finally {
        await again.close();
      }
    } catch (error) {
      result = error instanceof BalsaError ? error.code : String(error);
    }
    expect([bit, result]).toEqual([bit, "corrupt"]);
    flip();
  }
  const again = await openStorage(files);
  expect((await contentOf(again)).length).toBe(230);
  await again.close();
});
