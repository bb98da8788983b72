import { expect, test } from "vitest";
import { keepUnsynced, loseUnsynced, SimDisk } from "../../src/sim/index.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  append,
  contentOf,
  entries,
  foundIn,
  hardState,
  openStorage,
  payload,
  plain,
  takeSnapshot,
} from "./storages.js";

/** What was acknowledged: the log's end. */
interface Progress {
  lastIndex: number;
}

/** All that a process does with its directory, from nothing on. */
async function work(files: RecordedFiles, progress: Progress): Promise<void> {
  const storage = await openStorage(files, { segmentBytes: 512 });
  const write = async (first: number, last: number): Promise<void> => {
    await append(storage, { hardState: hardState(1, 0, first - 1), entries: entries(first, last, 1, 100) });
    progress.lastIndex = last;
  };
  for (let index = 1; index <= 9; index += 2) await write(index, index + 1);
  await takeSnapshot(storage, 4, 1);
  await write(11, 12);
  await takeSnapshot(storage, 10, 1);
  storage.compact(4);
  await write(13, 16);
  await storage.close();
}

/** Resolves when the process has come to its end, or to the call at which it dies. */
async function liveUntil(files: RecordedFiles, call: number): Promise<{ readonly progress: Progress; calls: number }> {
  const progress = { lastIndex: 0 };
  let calls = 0;
  const death = new Promise<void>((resolve) => {
    files.fault = () => {
      if (calls++ !== call) return undefined;
      files.isDead = true;
      resolve();
      return undefined;
    };
  });
  await Promise.race([work(files, progress), death]);
  return { progress, calls };
}

test("F1 a process dies at any call, the next one goes on, and only then the power goes: what that one said stays", async () => {
  const { calls } = await liveUntil(new RecordedFiles(), -1);
  expect(calls).toBeGreaterThan(100);
  for (let call = 0; call < calls; call++) {
    const disk = new SimDisk();
    const { progress } = await liveUntil(new RecordedFiles(disk), call);
    disk.completeAll();
    const next = new RecordedFiles(disk);
    const storage = await openStorage(next, { segmentBytes: 512 });
    const last = storage.lastIndex();
    expect(last, `dead at call ${call}`).toBeGreaterThanOrEqual(progress.lastIndex);
    await append(storage, { hardState: hardState(2, 1, last), entries: entries(last + 1, last + 2, 2, 50) });
    // What it takes for a snapshot stands for what it releases.
    storage.compact(storage.snapshot().meta.index);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    const said = foundIn(storage);
    next.isDead = true;

    for (const choice of [loseUnsynced, keepUnsynced]) {
      const left = disk.fork();
      left.crash(choice);
      const again = await openStorage(new RecordedFiles(left));
      const found = foundIn(again);
      expect([call, found.hardState, found.snapshot]).toEqual([call, said.hardState, said.snapshot]);
      expect(plain(found.entries)).toEqual(plain(said.entries));
      if (found.snapshot !== undefined) {
        expect(await contentOf(again)).toEqual(payload(found.snapshot.index, found.snapshot.term, 100));
      }
    }
  }
});
