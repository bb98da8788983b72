import { expect, test } from "vitest";
import type { Logger } from "../../src/platform/index.js";
import { readLog } from "../../src/storage/index.js";
import { TERMINATOR_BYTES } from "../../src/storage/log-end.js";
import { ImageFiles } from "./image-files.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  DIR,
  entries,
  hardState,
  openStorage,
  plain,
  refuseSpares,
  takeSnapshot,
} from "./storages.js";

function segments(files: RecordedFiles): readonly string[] {
  return files.disk
    .list(`${DIR}/log`)
    .filter((name) => name.endsWith(".log"))
    .map((name) => `${DIR}/log/${name}`);
}

/** Writes behind the end of the newest segment. */
function putBehind(files: RecordedFiles, bytes: Uint8Array): void {
  const file = files.disk.open(segments(files).at(-1) ?? "", "write");
  file.write(files.disk.nextSequence(), file.sizeBytes, bytes);
}

function bytesOf(files: RecordedFiles, path: string): Uint8Array {
  const file = files.disk.open(path, "read");
  return file.read(0, file.sizeBytes);
}

test("F1 entries, term, vote and commit come back, over many segments", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1024 });
  for (let index = 1; index <= 40; index++) await append(storage, { entries: entries(index, index, 1, 60) });
  await append(storage, { hardState: hardState(2, 9, 30), entries: entries(35, 50, 2) });
  expect(segments(files).length).toBeGreaterThan(5);
  await storage.close();
  const expected = [...entries(1, 34, 1, 60), ...entries(35, 50, 2)];
  const again = await openStorage(files);
  expect(plain(allEntries(again))).toEqual(plain(expected));
  expect(again.initialState().hardState).toEqual(hardState(2, 9, 30));
  expect(again.term(34)).toBe(1);
  await again.close();
});

test("F1 reading a directory alone changes nothing in it", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(1, 2, 0), entries: entries(1, 9, 1) });
  await takeSnapshot(storage, 4, 1);
  const content = await readLog(ImageFiles.of(files.disk, DIR), DIR);
  expect(content.identity).toEqual(storage.identity);
  expect(content.snapshot?.index).toBe(4);
  expect(plain(content.entries)).toEqual(plain(entries(5, 9, 1)));
  expect(content.hardState).toEqual(hardState(1, 2, 4));
  expect(content.torn).toBeUndefined();
  await storage.close();
});

test("F1 a torn write is dropped as a whole, entries and hard state together, and not without a word", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(1, 5, 0), entries: entries(1, 5, 1) });
  const newest = segments(files).at(-1) ?? "";
  const whole = bytesOf(files, newest).length;
  await append(storage, { hardState: hardState(2, 6, 0), entries: entries(6, 9, 2) });
  files.disk.open(newest, "write").resize(files.disk.nextSequence(), whole + 200);
  files.isDead = true;
  const warnings: string[] = [];
  const logger: Logger = {
    log: (_level, message, fields) => warnings.push(`${message} ${String(fields?.["offset"])}`),
  };
  const again = await openStorage(new RecordedFiles(files.disk), { logger });
  expect(again.initialState().hardState).toEqual(hardState(1, 5, 0));
  expect(plain(allEntries(again))).toEqual(plain(entries(1, 5, 1)));
  // Its head is whole; the first of its entries is not.
  const offset = whole - TERMINATOR_BYTES + 120 + 4 * 8 + 24;
  expect(warnings).toEqual([`the log ends in a torn write, which was never acknowledged; it is dropped ${offset}`]);
  await again.close();
});

test.each([
  ["zeros, of a prepared file", new Uint8Array(700)],
  ["an absurd length", Uint8Array.from([...Buffer.from("BTCH"), ...new Uint8Array(60).fill(255)])],
  ["anything", new Uint8Array(900).fill(0x42)],
])("%s behind the log's end is harmless", async (_what, garbage) => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 5, 1) });
  await storage.close();
  putBehind(files, garbage);
  const log = await readLog(files, DIR);
  expect(plain(log.entries)).toEqual(plain(entries(1, 5, 1)));
  expect(log.torn).toBeUndefined();
  const again = await openStorage(files);
  await append(again, { entries: entries(6, 6, 1) });
  await again.close();
  expect((await readLog(files, DIR)).entries.length).toBe(6);
});

test("stale batches of an earlier segment behind the last one, as in a recycled file, are harmless", async () => {
  const files = new RecordedFiles();
  refuseSpares(files);
  const storage = await openStorage(files, { segmentBytes: 1100 });
  for (let term = 1; term <= 8; term++) await append(storage, { entries: entries(1, 4, term, 40) });
  const [older, newest] = [segments(files).at(-2) ?? "", segments(files).at(-1) ?? ""];
  const stale = bytesOf(files, older);
  const length = bytesOf(files, newest).length;
  // At their old offsets, as a recycled file would hold them.
  expect(length).toBeLessThan(stale.length);
  putBehind(files, stale.subarray(length));
  const found = await readLog(files, DIR);
  expect(plain(found.entries)).toEqual(plain(entries(1, 4, 8, 40)));
  expect(found.torn).toBeUndefined();
});

test("opening reads no more of the log than lies behind the snapshot", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1024 });
  for (let index = 1; index <= 100; index++) await append(storage, { entries: entries(index, index, 1, 200) });
  await takeSnapshot(storage, 90, 1);
  storage.compact(20); // a tail of 70 is kept for slow followers
  await storage.close();
  const opened = new Set<string>();
  files.fault = (kind, path) => {
    if (kind === "open" && path.endsWith(".log")) opened.add(path);
    return undefined;
  };
  const content = await readLog(files, DIR);
  expect(content.entries.length).toBe(10);
  expect(opened.size).toBeLessThan(10);
  expect(segments(files).length).toBeGreaterThan(25);
  // Once opened again, nobody needs the tail.
  files.fault = undefined;
  await (await openStorage(files)).close();
  expect(segments(files).length).toBeLessThan(10);
});

test("F2 entries that were replaced in a released segment stay replaced", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1024 });
  await append(storage, { entries: entries(1, 20, 1) });
  // In a segment that begins behind 20, entries from 12 on are replaced.
  await append(storage, { hardState: hardState(2, 0, 11), entries: entries(12, 30, 2, 10) });
  await append(storage, { hardState: hardState(2, 0, 25), entries: entries(31, 40, 2) });
  await takeSnapshot(storage, 22, 2);
  storage.compact(22);
  await storage.close();
  expect(segments(files).length).toBe(2);
  const again = await openStorage(files);
  expect(again.snapshot().meta.term).toBe(2);
  expect(plain(allEntries(again))).toEqual(plain([...entries(23, 30, 2, 10), ...entries(31, 40, 2)]));
  await again.close();
});
