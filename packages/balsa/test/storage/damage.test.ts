import { expect, test } from "vitest";
import { readLog } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { RecordedFiles } from "./recorded-files.js";
import { append, DIR, entries, hardState, openStorage, takeSnapshot } from "./storages.js";

/** Closed, some segments behind a snapshot that the log needs. */
async function smallLog(): Promise<ImageFiles> {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1600 });
  await append(storage, { hardState: hardState(1, 0, 0), entries: entries(1, 10, 1, 30) });
  await append(storage, { hardState: hardState(1, 0, 11), entries: entries(11, 22, 1, 30) });
  await takeSnapshot(storage, 10, 1);
  storage.compact(10);
  await append(storage, { hardState: hardState(2, 7, 11), entries: entries(20, 24, 2, 40) });
  await append(storage, { entries: entries(25, 27, 2, 40), hardState: hardState(2, 7, 22) });
  await append(storage, { entries: entries(28, 30, 2, 40) });
  await storage.close();
  return ImageFiles.of(files.disk, DIR);
}

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
  const files = await smallLog();
  files.images.delete(files.snapshots[0] ?? "");
  await expect(readLog(files, DIR)).rejects.toMatchObject({ code: "corrupt" });
});

test("corruption says which file, offset, index and term", async () => {
  const files = await smallLog();
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
