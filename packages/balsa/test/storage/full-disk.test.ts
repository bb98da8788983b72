import { expect, test } from "vitest";
import { FileError, type FileErrorCode } from "../../src/platform/index.js";
import { loseUnsynced } from "../../src/sim/index.js";
import { type DiskStorage, readLog } from "../../src/storage/index.js";
import { TERMINATOR_BYTES } from "../../src/storage/log-end.js";
import { HandClock } from "./hand-clock.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  codeOf,
  DIR,
  entries,
  hardState,
  openStorage,
  plain,
  refuseSpares,
  takeSnapshot,
} from "./storages.js";

/** What goes on in the background has come to its end. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate);
}

/** Appends entries one by one, each behind the one before, until the disk is full; gives the last one's index. */
async function fill(storage: DiskStorage, first: number): Promise<{ last: number; waiting: Promise<void> }> {
  for (let index = first; ; index++) {
    let isTold = false;
    const waiting = append(storage, { entries: entries(index, index, 1, 100) }).then(() => {
      isTold = true;
    });
    await quiet();
    if (!isTold) return { last: index, waiting };
  }
}

function spares(files: RecordedFiles): number {
  return files.disk.list(`${DIR}/log`).filter((name) => name.endsWith(".spare")).length;
}

test("F4 a full disk fails nothing: what is prepared is used up, then a batch waits until there is room", async () => {
  const files = new RecordedFiles();
  const clock = new HandClock();
  const told: boolean[] = [];
  const storage = await openStorage(files, { segmentBytes: 1100, clock });
  storage.watchRoom((isFull) => told.push(isFull));
  await append(storage, { entries: entries(1, 1, 1, 100) });
  await quiet();
  expect(spares(files)).toBe(1);
  files.disk.capacityBytes = files.disk.usedBytes;
  const { last, waiting } = await fill(storage, 2);
  // The spare took three of 280 bytes each; the first segment could hardly grow.
  expect(last).toBeGreaterThanOrEqual(5);
  expect(storage.isFull).toBe(true);
  expect(told).toEqual([true]);
  // What comes behind it waits as well, whatever it is, and is told in order.
  const order: string[] = [];
  const behind = [
    append(storage, { entries: entries(last + 1, last + 1, 1, 10) }).then(() => order.push("entry")),
    append(storage, { hardState: hardState(2, 1, 0) }).then(() => order.push("hard state")),
  ];
  clock.pass(1000);
  await quiet();
  expect([storage.lastIndex(), order]).toEqual([last - 1, []]);
  expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, last - 1, 1, 100)));

  files.disk.capacityBytes += 100_000;
  clock.pass(1000);
  await Promise.all([waiting, ...behind]);
  await quiet();
  expect(order).toEqual(["entry", "hard state"]);
  expect(told).toEqual([true, false]);
  expect(storage.isFull).toBe(false);
  expect(spares(files)).toBe(1);
  await storage.close();
  const log = await readLog(files, DIR);
  expect(plain(log.entries)).toEqual(plain([...entries(1, last, 1, 100), ...entries(last + 1, last + 1, 1, 10)]));
  expect(log.hardState).toEqual(hardState(2, 1, 0));
});

test("F4 it says that it is full while there is a place left for what is under way", async () => {
  const files = new RecordedFiles();
  const clock = new HandClock();
  const storage = await openStorage(files, { segmentBytes: 4096, clock });
  await quiet();
  files.disk.capacityBytes = files.disk.usedBytes;
  // From the segment that can't grow any more into the spare, and on until half of that is used.
  let index = 0;
  while (!storage.isFull) {
    index++;
    await append(storage, { entries: entries(index, index, 1, 100) });
    await quiet();
    clock.pass(300);
    await quiet();
  }
  expect(index).toBeGreaterThan(5);
  for (let vote = 1; vote <= 10; vote++) await append(storage, { hardState: hardState(vote, 1, 0) });
  expect(storage.initialState().hardState.term).toBe(10);
  await storage.close();
});

test("F4 segments that are released make room by themselves", async () => {
  const files = new RecordedFiles();
  const clock = new HandClock();
  const storage = await openStorage(files, { segmentBytes: 1100, clock });
  for (let index = 1; index <= 12; index++) await append(storage, { entries: entries(index, index, 1, 100) });
  await takeSnapshot(storage, 10, 1);
  await quiet();
  files.disk.capacityBytes = files.disk.usedBytes;
  const { last, waiting } = await fill(storage, 13);
  storage.compact(10);
  await waiting;
  expect(storage.lastIndex()).toBe(last);
  expect(storage.isFull).toBe(false);
  await storage.close();
});

test.each<FileErrorCode>(["full", "too-many-open"])(
  "F4 a new segment that can't be made (%s) is tried again, at whichever call it failed",
  async (code) => {
    for (let failAt = 0; failAt < 4; failAt++) {
      const files = new RecordedFiles();
      const clock = new HandClock();
      const storage = await openStorage(files, { segmentBytes: 512, clock });
      await quiet();
      let calls = 0;
      files.fault = (kind, path) => {
        const isOfSegment = ["open", "rename", "syncDir", "writeAndSync:write"].includes(kind);
        return isOfSegment && calls++ >= failAt && calls < failAt + 4
          ? new FileError(code, path, "injected")
          : undefined;
      };
      const writes = [1, 2, 3, 4, 5].map((index) => append(storage, { entries: entries(index, index, 1, 200) }));
      const all = Promise.all(writes);
      for (let i = 0; i < 40; i++) {
        await quiet();
        clock.pass(300);
      }
      await all;
      files.fault = undefined;
      await storage.close();
      expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, 5, 1, 200)));
    }
  },
);

test("F4 close waits for no room: what waits is told that the disk is full", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1100 });
  await quiet();
  files.disk.capacityBytes = files.disk.usedBytes;
  const { last, waiting } = await fill(storage, 1);
  const behind = append(storage, { entries: entries(last + 1, last + 1, 1) });
  const codes = Promise.all([codeOf(waiting), codeOf(behind)]);
  await storage.close();
  expect(await codes).toEqual(["disk-full", "disk-full"]);
  expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, last - 1, 1, 100)));
});

test("F4 a directory is opened with no byte free and no spare, and goes on when there is room", async () => {
  for (const isTorn of [false, true]) {
    const files = new RecordedFiles();
    refuseSpares(files);
    const storage = await openStorage(files, { segmentBytes: 4096 });
    await append(storage, { hardState: hardState(3, 2, 0), entries: entries(1, 4, 1, 100) });
    await append(storage, { entries: entries(5, 6, 1, 100) });
    files.isDead = true;
    if (isTorn) {
      const newest = files.disk.list(`${DIR}/log`).at(-1) ?? "";
      const file = files.disk.open(`${DIR}/log/${newest}`, "write");
      const end = file.sizeBytes - TERMINATOR_BYTES;
      file.write(files.disk.nextSequence(), end, new Uint8Array(300).fill(7)).completed = true;
    }
    const { disk } = files;
    disk.capacityBytes = disk.usedBytes;
    // Killed again and again.
    for (let life = 0; life < 3; life++) {
      const again = new RecordedFiles(disk);
      const clock = new HandClock();
      const next = await openStorage(again, { segmentBytes: 4096, clock });
      expect(plain(allEntries(next))).toEqual(plain(entries(1, 6, 1, 100)));
      expect(next.initialState().hardState).toEqual(hardState(3, 2, 0));
      await quiet();
      expect(next.isFull).toBe(true);
      again.isDead = true;
      disk.crash(loseUnsynced);
    }
    const again = new RecordedFiles(disk);
    const clock = new HandClock();
    const next = await openStorage(again, { segmentBytes: 4096, clock });
    // A torn write's bytes are room.
    const written = append(next, { entries: entries(7, 7, 1, isTorn ? 50 : 3000) });
    await quiet();
    expect(next.lastIndex()).toBe(isTorn ? 7 : 6);
    disk.capacityBytes += 10_000;
    clock.pass(1000);
    await written;
    disk.crash(loseUnsynced);
    expect((await readLog(new RecordedFiles(disk), DIR)).entries.length).toBe(7);
  }
});

test.each<FileErrorCode>(["full", "too-many-open", "io"])(
  "F1 F4 once the fresh segment has its name nothing is added to the one before: its directory's sync fails (%s)",
  async (code) => {
    for (const hasSpare of [true, false]) {
      const files = new RecordedFiles();
      if (!hasSpare) refuseSpares(files);
      const storage = await openStorage(files, { segmentBytes: 4096 });
      await append(storage, { entries: entries(1, 4, 1, 100) });
      await quiet();
      await storage.close();
      let isNamed = false;
      files.fault = (kind, path) => {
        if (kind === "syncDir" && isNamed) return new FileError(code, path, "injected");
        if (kind === "open" && path.includes(".spare.tmp")) return new FileError("full", path, "no spares");
        isNamed ||= kind === "rename";
        return undefined;
      };
      const opening = codeOf(openStorage(files, { segmentBytes: 4096 }));
      expect(await opening).toBe(code === "full" ? "disk-full" : "storage-failed");
      expect(isNamed).toBe(true);
      files.fault = undefined;

      const next = await openStorage(files, { segmentBytes: 4096 });
      await append(next, { entries: entries(5, 6, 1, 100) });
      await next.close();
      expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, 6, 1, 100)));
    }
  },
);

test("F4 a directory is opened with no byte free, from the spare if there is one", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 4096 });
  await append(storage, { entries: entries(1, 4, 1, 100) });
  await quiet();
  files.isDead = true;
  files.disk.capacityBytes = files.disk.usedBytes;
  const before = spares(files);
  const next = await openStorage(new RecordedFiles(files.disk), { segmentBytes: 4096 });
  expect(plain(allEntries(next))).toEqual(plain(entries(1, 4, 1, 100)));
  await append(next, { entries: entries(5, 9, 1, 100) });
  expect([before, spares(files)]).toEqual([1, 0]);
  await next.close();
});

test("F4 a new directory is not made where there is no room, and says so", async () => {
  const files = new RecordedFiles();
  files.disk.capacityBytes = 100;
  expect(await codeOf(openStorage(files))).toBe("disk-full");
  files.disk.capacityBytes = 10_000;
  await (await openStorage(files)).close();
});
