import { expect, test } from "vitest";
import { readLog } from "../../src/storage/index.js";
import { ImageFiles } from "../storage/image-files.js";
import { RecordedFiles } from "../storage/recorded-files.js";
import {
  append,
  DIR,
  entries,
  hardState,
  openStorage,
  plain,
  refuseSpares,
  takeSnapshot,
} from "../storage/storages.js";
import { Recorded } from "./recorded.js";

// A data directory is, byte for byte, what it was when its version was made: it is read for as long as there are some.

const recorded = new Recorded(new URL("disk.json", import.meta.url));
const WRITTEN = [...entries(1, 2, 1, 3), ...entries(3, 3, 2, 0), ...entries(4, 4, 3, 10)];

/** A snapshot, and a segment of some batches. */
async function directory(isTerminated: boolean): Promise<ImageFiles> {
  const files = new RecordedFiles();
  refuseSpares(files);
  const storage = await openStorage(files, { isTerminated });
  await append(storage, { hardState: hardState(2, 7, 1), entries: WRITTEN.slice(0, 3) });
  await append(storage, { hardState: hardState(3, 8, 2), entries: WRITTEN.slice(3) });
  await takeSnapshot(storage, 2, 1, [new Uint8Array([1, 2, 3, 4])]);
  await storage.close();
  return ImageFiles.of(files.disk, DIR);
}

/** What was recorded of that directory. */
async function asRecorded(kind: string, isTerminated: boolean): Promise<ImageFiles> {
  const written = await directory(isTerminated);
  const files = new ImageFiles();
  for (const [path, bytes] of written.images) {
    files.images.set(
      path,
      recorded.bytes(`${kind}: ${path.slice(DIR.length)}`, () => bytes),
    );
  }
  return files;
}

const FORMS = [
  ["terminated log", true],
  ["log without terminators, of an earlier version", false],
] as const;

test.each(FORMS)("a data directory with a %s is written as it was", async (kind, isTerminated) => {
  const files = await asRecorded(kind, isTerminated);
  expect((await directory(isTerminated)).images).toEqual(files.images);
  const samples = recorded.names.filter((name) => name.startsWith(`${kind}:`));
  expect(samples.length).toBe(files.images.size);
});

test.each(FORMS)("a data directory with a %s that was written then is read now", async (kind, isTerminated) => {
  const content = await readLog(await asRecorded(kind, isTerminated), DIR);
  expect(plain(content.entries)).toEqual(plain(WRITTEN.slice(2)));
  expect(content.hardState).toEqual(hardState(3, 8, 2));
  expect(content.snapshot).toMatchObject({ index: 2, term: 1 });
  expect(content.torn).toBeUndefined();
});
