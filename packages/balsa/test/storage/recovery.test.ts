import { expect, test } from "vitest";
import { readLog } from "../../src/storage/index.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  contentOf,
  DIR,
  entries,
  hardState,
  meta,
  openStorage,
  payload,
  plain,
  receive,
  snapshotFile,
  takeSnapshot,
} from "./storages.js";

test("F1 what was acknowledged is there after reopening", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1024 });
  await append(storage, { hardState: hardState(1, 7, 0), entries: entries(1, 40, 1) });
  await append(storage, { hardState: hardState(2, 9, 30), entries: entries(35, 50, 2) });
  await storage.close();
  const expected = [...entries(1, 34, 1), ...entries(35, 50, 2)];
  const again = await openStorage(files);
  expect(plain(allEntries(again))).toEqual(plain(expected));
  expect(again.initialState().hardState).toEqual(hardState(2, 9, 30));
  await again.close();
  const content = await readLog(files, DIR);
  expect(plain(content.entries)).toEqual(plain(expected));
});

test("F2 snapshots smoke", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1024 });
  for (let i = 1; i <= 60; i++) await append(storage, { hardState: hardState(1, 7, i - 1), entries: entries(i, i, 1) });
  await takeSnapshot(storage, 30, 1);
  storage.compact(20);
  expect(storage.firstIndex()).toBe(21);
  const file = await snapshotFile(new RecordedFiles(), 100, 3);
  await receive(storage, 100, 3, file);
  expect(storage.snapshot().meta.index).toBe(30);
  await append(storage, { hardState: hardState(3, 0, 100), snapshot: { meta: meta(100, 3), data: new Uint8Array(0) } });
  expect(storage.lastIndex()).toBe(100);
  expect(await contentOf(storage)).toEqual(payload(100, 3, 100));
  await append(storage, { entries: entries(101, 105, 3) });
  await storage.close();
  console.log(files.disk.list(`${DIR}/log`), files.disk.list(`${DIR}/snapshots`));
  const again = await openStorage(files);
  expect(again.firstIndex()).toBe(101);
  expect(again.lastIndex()).toBe(105);
  await again.close();
});
